// Makes the pictures of README: `make screenshots`.

import { expect, test } from "../fixtures.ts";
import { Campaign } from "../pages/campaign.ts";
import { Editor } from "../pages/editor.ts";
import { Execution } from "../pages/execution.ts";
import { Home } from "../pages/home.ts";
import { Preview } from "../pages/preview.ts";

test.use({ viewport: { width: 1280, height: 800 }, deviceScaleFactor: 1 });

test("pictures of the main path", async ({ drover }) => {
  const picture = async (name: string) => {
    for (const colorScheme of ["light", "dark"] as const) {
      await drover.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await drover.screenshot({ path: `end2end/screenshots/${name}-${colorScheme}.png` });
    }
  };
  await picture("home-empty");
  await new Home(drover).fromSample.click();
  const editor = new Editor(drover);
  await expect(editor.text).toBeVisible();
  await picture("editor");
  await editor.preview.click();
  await expect(new Execution(drover).repositories).toBeVisible();
  await picture("execution");

  const preview = new Preview(drover);
  await expect(preview.heading).toBeVisible({ timeout: 60_000 });
  const planned = await preview.rows.count();
  await preview.unfold("acme/");
  await drover.waitForLoadState("networkidle");
  await picture("preview");
  await preview.apply.click();

  const campaign = new Campaign(drover);
  await expect(campaign.withStatus("Open")).toHaveCount(planned, { timeout: 60_000 });
  await picture("campaign");
  await campaign.rows.first().getByRole("link").first().click();
  await expect(drover.getByRole("heading", { name: "Diff" })).toBeVisible();
  await picture("changeset");
});
