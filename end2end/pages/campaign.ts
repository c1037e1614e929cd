import type { Locator, Page } from "@playwright/test";

/** A campaign and its changesets. */
export class Campaign {
  readonly changesets: Locator;
  readonly rows: Locator;

  constructor(page: Page) {
    this.changesets = page.getByRole("table", { name: "Changesets" });
    this.rows = this.changesets.getByRole("row").filter({ has: page.getByRole("rowheader") });
  }

  withStatus(status: string): Locator {
    return this.rows.filter({ has: this.rows.page().getByText(status, { exact: true }) });
  }

  row(repository: string): Locator {
    return this.rows.filter({ hasText: repository });
  }

  /** The way to the pull request of a row on its code host. */
  pull(row: Locator): Locator {
    return row.getByRole("link", { name: "on the code host" });
  }
}
