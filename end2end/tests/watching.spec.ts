// What a page shows while something goes on, without a reload.

import { expect, expectAccessible, test } from "../fixtures.ts";
import { WAIT_AT_GATE } from "../gate.ts";
import { Editor } from "../pages/editor.ts";
import { Execution } from "../pages/execution.ts";
import { Preview } from "../pages/preview.ts";

// Only one repository waits: the others would hold every place that steps run in.
const SPEC = `version: 1
name: watched
on:
  - repositoriesMatchingQuery: org:acme
steps:
  - run: |
      echo "the first line"
      if grep -q "^# Billing" README.md; then ${WAIT_AT_GATE}; fi
      echo "the second line"
  - run: echo "the second step"; touch watched
changesetTemplate:
  title: Watched
  body: Watched
  branch: watched
  commit:
    message: Watched
  published: false
`;

test("steps are followed with their log until the preview is there", async ({ drover, gate }) => {
  const editor = new Editor(drover);
  await editor.open();
  await editor.text.fill(SPEC);
  await editor.preview.click();
  const execution = new Execution(drover);
  const billing = execution.repository("acme/billing");
  await expect(billing).toContainText("Step 1 of 2");
  await expect(execution.log).toContainText("the first line");
  await expect(execution.log).not.toContainText("the second line");
  gate.open();

  const preview = new Preview(drover);
  await expect(preview.heading).toBeVisible();
  await expect(preview.rows).toHaveCount(5);
});

test("a log that somebody reads stays, and grows", async ({ drover, gate }) => {
  const editor = new Editor(drover);
  await editor.open();
  await editor.text.fill(SPEC.replaceAll("watched", "read").replace("org:acme", "acme/billing"));
  await editor.preview.click();
  const execution = new Execution(drover);
  await execution.repository("acme/billing").getByRole("link", { name: "Log" }).click();
  await expect(execution.log).toContainText("the first line");
  await expectAccessible(drover);
  gate.open();
  await expect(execution.log).toContainText("the second line");
  await expect(execution.log).toContainText("the second step");
  await expect(execution.seePreview).toBeVisible();
  await expectAccessible(drover);
});
