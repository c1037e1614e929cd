// The same path up to apply, in a browser that runs no script: forms, links and reloads.

import { expect, test } from "../fixtures.ts";
import { WAIT_MAX } from "../limits.ts";
import { Campaign } from "../pages/campaign.ts";
import { Editor } from "../pages/editor.ts";
import { Execution } from "../pages/execution.ts";
import { Home } from "../pages/home.ts";
import { Preview } from "../pages/preview.ts";

test("pull requests open without JavaScript", async ({ drover }) => {
  const home = new Home(drover);
  await home.newCampaign.click();
  const editor = new Editor(drover);
  await editor.replace("add-security-policy", "add-policy-by-hand");
  await editor.preview.click();

  const execution = new Execution(drover);
  await expect(async () => {
    await drover.reload();
    await expect(execution.seePreview).toBeVisible({ timeout: 500 });
  }).toPass({ timeout: WAIT_MAX });
  await execution.seePreview.click();

  const preview = new Preview(drover);
  await expect(preview.heading).toBeVisible();
  const planned = await preview.rows.count();
  expect(planned).toBeGreaterThan(1);
  await preview.apply.click();

  const campaign = new Campaign(drover);
  await expect(async () => {
    await drover.reload();
    await expect(campaign.withStatus("Open")).toHaveCount(planned, { timeout: 500 });
  }).toPass({ timeout: WAIT_MAX });
});

test("a mistake in a spec is shown without JavaScript", async ({ drover }) => {
  const editor = new Editor(drover);
  await editor.open();
  await editor.replace("version: 1", "verzion: 1");
  await editor.preview.click();
  await expect(editor.text).toHaveValue(/^verzion: 1$/m);
  await expect(editor.problem("verzion").first()).toBeVisible();

  // The draft is kept: its address shows it again.
  expect(drover.url()).toContain("draft=");
  await drover.goto(drover.url());
  await expect(editor.text).toHaveValue(/^verzion: 1$/m);
});
