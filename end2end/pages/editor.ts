import type { Locator, Page } from "@playwright/test";

/** The text of a spec, and its problems. */
export class Editor {
  readonly heading: Locator;
  readonly text: Locator;
  readonly preview: Locator;

  constructor(private readonly page: Page) {
    this.heading = page.getByRole("heading", { name: "New campaign" });
    this.text = page.getByRole("textbox", { name: "Campaign spec" });
    this.preview = page.getByRole("button", { name: "Preview" });
  }

  async open(): Promise<void> {
    await this.page.goto("/new");
  }

  /** Puts one text of the spec in the place of another. */
  async replace(old: string, by: string): Promise<void> {
    const spec = await this.text.inputValue();
    if (!spec.includes(old)) throw new Error(`the spec has no ${JSON.stringify(old)}:\n${spec}`);
    await this.text.fill(spec.replaceAll(old, by));
  }

  problem(text: string | RegExp): Locator {
    return this.page.getByRole("main").getByText(text);
  }
}
