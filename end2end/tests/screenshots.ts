// Makes the pictures of README: `make screenshots`.

import type { Page } from "@playwright/test";
import { expect, test } from "../fixtures.ts";
import { Campaign } from "../pages/campaign.ts";
import { Editor } from "../pages/editor.ts";
import { Execution } from "../pages/execution.ts";
import { Home } from "../pages/home.ts";
import { Preview } from "../pages/preview.ts";

// The sample is done before it can be looked at.
const SLOWER = 'echo "Writing the policy"; sleep 2; cat > SECURITY.md';

const SIZE = { width: 1240, height: 800 };

test.use({ viewport: SIZE, deviceScaleFactor: 1 });

test("pictures of the main path", async ({ drover }) => {
  await new Home(drover).fromSample.click();
  await new Editor(drover).replace("cat > SECURITY.md", SLOWER);
  await new Editor(drover).preview.click();
  const execution = new Execution(drover);
  await expect(execution.repositories.getByText("Changed", { exact: true }).nth(3)).toBeVisible();
  await expect(execution.repositories.getByText(/^Step /).first()).toBeVisible();
  await expect(execution.log).toContainText("Writing the policy");
  await picture(drover, "execution", "light");

  const preview = new Preview(drover);
  await expect(preview.heading).toBeVisible();
  const planned = await preview.rows.count();
  const row = await preview.unfold("acme/billing");
  const diff = row.getByText("# Security policy");
  await expect(diff.first()).toBeVisible();
  await drover.setViewportSize({ width: 1240, height: 1060 });
  await picture(drover, "preview", "light");
  await drover.setViewportSize(SIZE);
  await preview.apply.click();

  const campaign = new Campaign(drover);
  await expect(campaign.withStatus("Open").nth(2)).toBeVisible();
  await picture(drover, "campaign", "light");
  await expect(campaign.withStatus("Open")).toHaveCount(planned);
  await campaign.rows.first().getByRole("link").first().click();
  await drover.getByRole("link", { name: "Split" }).click();
  await expect(drover.getByText("Live", { exact: true })).toBeVisible();
  await drover.getByText("# Security policy").first().scrollIntoViewIfNeeded();
  await picture(drover, "changeset", "dark");
});

async function picture(page: Page, name: string, colorScheme: "light" | "dark"): Promise<void> {
  await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
  await page.screenshot({ path: `end2end/screenshots/${name}-${colorScheme}.png` });
}
