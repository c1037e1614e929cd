import type { Locator, Page } from "@playwright/test";

/** The plan: every pull request before it is made. */
export class Preview {
  readonly heading: Locator;
  readonly plan: Locator;
  readonly rows: Locator;
  readonly apply: Locator;

  constructor(page: Page) {
    this.heading = page.getByRole("heading", { name: /^Preview of / });
    this.plan = page.getByRole("region", { name: "The plan" });
    // A row is a `details`, which has the role of a group.
    this.rows = this.plan.getByRole("group");
    this.apply = page.getByRole("button", { name: "Apply" });
  }

  row(repository: string): Locator {
    return this.rows.filter({ hasText: repository });
  }

  /** Unfolds a row; its diff is fetched when it is first seen. */
  async unfold(repository: string): Promise<Locator> {
    const row = this.row(repository);
    await row.locator("summary").first().click();
    return row;
  }
}
