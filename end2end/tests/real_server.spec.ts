// `drover serve`, against a GitHub that is the demo's stand-in: signing in, and a restart.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, expectAccessible, test } from "../fixtures.ts";
import { Campaign } from "../pages/campaign.ts";
import { Editor } from "../pages/editor.ts";
import { Home } from "../pages/home.ts";
import { Preview } from "../pages/preview.ts";
import { freePort, Server } from "../server.ts";

test("the first admin signs in, and a restart goes on where it was", async ({ page, standIn }) => {
  const data = await mkdtemp(join(tmpdir(), "drover-serve-"));
  const args = ["serve", "--port", `${await freePort()}`, "--data-dir", data];
  args.push("--github-url", standIn);
  const first = await Server.start(args, /setup token \S+\s/, {
    DROVER_GITHUB_TOKEN: "demo-token-of-the-stand-in",
  });
  const origin = first.find(/Drover is at (\S+)/);

  await page.goto(`${origin}/new`);
  const token = page.getByLabel("Setup or access token");
  const signIn = page.getByRole("button", { name: "Sign in" });
  await expectAccessible(page);
  await token.fill("not-the-token");
  await signIn.click();
  await expect(page.getByRole("alert")).toBeVisible();
  await expectAccessible(page);
  await page.goto(`${origin}/new`);
  await token.fill(first.find(/setup token (\S+)/));
  await signIn.click();

  const editor = new Editor(page);
  await editor.replace("add-security-policy", "policy-of-one");
  await editor.replace("org:acme org:globex", "acme/billing");
  await editor.preview.click();
  const preview = new Preview(page);
  await expect(preview.heading).toBeVisible();
  await expect(preview.rows).toHaveCount(1);
  await first.stop();

  // Neither the GitHub token nor the sign-in is needed again: the data directory has them.
  const second = await Server.start(args, /Drover is at \S+\s/);
  expect(second.printed).not.toContain("setup token");
  await page.reload();
  await preview.apply.click();
  await expect(new Campaign(page).withStatus("Open")).toHaveCount(1);
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(signIn).toBeVisible();
  await page.goto(origin);
  await expect(new Home(page).heading).toHaveCount(0);
  await second.stop();
  await rm(data, { recursive: true, force: true });
});
