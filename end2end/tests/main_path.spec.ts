// From nothing to open pull requests, in one browser, as a new user goes.

import { expect, expectAccessible, test } from "../fixtures.ts";
import { Campaign } from "../pages/campaign.ts";
import { Editor } from "../pages/editor.ts";
import { Home } from "../pages/home.ts";
import { Preview } from "../pages/preview.ts";

test("a new user opens pull requests from the sample", async ({ drover }) => {
  const home = new Home(drover);
  await expect(home.heading).toBeVisible();
  await expectAccessible(drover);

  await home.fromSample.click();
  const editor = new Editor(drover);
  await expect(editor.text).toHaveValue(/^name: add-security-policy$/m);
  await expectAccessible(drover);

  await editor.preview.click();

  // The page leads on by itself when every repository is done.
  const preview = new Preview(drover);
  await expect(preview.heading).toBeVisible();
  await expect(preview.apply).toBeVisible();
  const planned = await preview.rows.count();
  expect(planned).toBeGreaterThan(1);
  await expectAccessible(drover);
  const address = drover.url();

  const row = await preview.unfold("acme/");
  await expect(row.getByText("# Security policy").first()).toBeVisible();
  await expectAccessible(drover);

  await preview.apply.click();
  const campaign = new Campaign(drover);
  await expect(campaign.withStatus("Open")).toHaveCount(planned);
  await expectAccessible(drover);

  const pull = campaign.pull(campaign.rows.first());
  await pull.click();
  await expect(drover.getByRole("heading", { name: "Add a security policy" })).toBeVisible();
  await expect(drover.getByText("people know where to report")).toBeVisible();
  await expect(drover.getByText("Say how to report a security problem").first()).toBeVisible();
  await expect(drover.getByText("# Security policy").first()).toBeVisible();
  await expectAccessible(drover);

  // The preview stays readable, and the plan of an applied spec has nothing left to do.
  await drover.goto(address);
  await expect(preview.heading).toBeVisible();
  await expect(preview.apply).toHaveCount(0);

  await home.open();
  await expect(home.campaign("add-security-policy")).toBeVisible();
  await expectAccessible(drover);
});

test("a changeset shows its pull request and its diff", async ({ drover }) => {
  const home = new Home(drover);
  await home.campaign("add-security-policy").click();
  const campaign = new Campaign(drover);
  await campaign.rows.first().getByRole("link").first().click();

  await expect(drover.getByRole("heading", { name: "Diff" })).toBeVisible();
  await expect(drover.getByText("SECURITY.md").first()).toBeVisible();
  await expectAccessible(drover);
  await drover.getByRole("link", { name: "Split" }).click();
  await expect(drover.getByText("# Security policy").first()).toBeVisible();
  await expectAccessible(drover);
});
