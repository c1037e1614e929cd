// What a person sees who asks for something that cannot be had.

import { expect, expectAccessible, test } from "../fixtures.ts";
import { Editor } from "../pages/editor.ts";
import { Execution } from "../pages/execution.ts";
import { Preview } from "../pages/preview.ts";

test("a mistake in a spec is shown at its line, while it is written", async ({ drover }) => {
  const editor = new Editor(drover);
  await editor.open();
  await editor.replace("version: 1", "verzion: 1");
  await expect(editor.problem("verzion").first()).toBeVisible();
  await expectAccessible(drover);
});

test("a mistake in a spec is shown when it is sent", async ({ drover }) => {
  const editor = new Editor(drover);
  await editor.open();
  await editor.replace("name: add-security-policy", "name: two words");
  await editor.preview.click();
  await expect(editor.heading).toBeVisible();
  await expect(editor.text).toHaveValue(/^name: two words$/m);
  await expect(editor.problem("two words").first()).toBeVisible();
});

test("a step that fails says so with its exit code and its log", async ({ drover }) => {
  const editor = new Editor(drover);
  await editor.open();
  await editor.text.fill(`version: 1
name: fail-on-purpose
on:
  - repositoriesMatchingQuery: org:acme
steps:
  - run: echo "this is what went wrong"; exit 3
changesetTemplate:
  title: Never
  body: Never
  branch: never
  commit:
    message: Never
  published: false
`);
  await editor.preview.click();
  const execution = new Execution(drover);
  await expect(execution.log).toContainText("this is what went wrong");
  await expect(execution.repository("acme/billing")).toContainText("exit code 3");
  await expectAccessible(drover);

  await execution.seePreview.click();
  const preview = new Preview(drover);
  await expect(preview.heading).toBeVisible();
  await expect(preview.rows).toHaveCount(0);
  await expect(drover.getByRole("region", { name: "Failed repositories" })).toBeVisible();
  await expectAccessible(drover);
});

for (const path of ["/nowhere", "/previews/0", "/campaigns/nobody/nothing"]) {
  test(`a page that is not there says so: ${path}`, async ({ drover }) => {
    const answer = await drover.goto(path);
    expect(answer?.status()).toBe(404);
    await expect(drover.getByRole("heading", { level: 1 })).toBeVisible();
    await expectAccessible(drover);
  });
}
