import type { Locator, Page } from "@playwright/test";

/** The steps of a spec, while they run. */
export class Execution {
  readonly repositories: Locator;
  readonly log: Locator;
  readonly seePreview: Locator;

  constructor(page: Page) {
    this.repositories = page.getByRole("table", { name: "Repositories" });
    this.log = page.getByRole("log");
    this.seePreview = page.getByRole("link", { name: "See the preview" });
  }

  repository(name: string): Locator {
    return this.repositories.getByRole("row").filter({ hasText: name });
  }
}
