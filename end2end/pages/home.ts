import type { Locator, Page } from "@playwright/test";

/** The campaigns, and the previews that wait to be applied. */
export class Home {
  readonly heading: Locator;
  readonly fromSample: Locator;
  readonly newCampaign: Locator;

  constructor(private readonly page: Page) {
    this.heading = page.getByRole("heading", { name: "Campaigns", level: 1 });
    this.fromSample = page.getByRole("link", { name: "Start from the sample" });
    this.newCampaign = page.getByRole("main").getByRole("link", { name: "New campaign" });
  }

  async open(): Promise<void> {
    await this.page.goto("/");
  }

  campaign(name: string): Locator {
    return this.page.getByRole("heading", { level: 2 }).getByRole("link", { name });
  }
}
