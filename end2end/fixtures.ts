// What every test has: Drover's own pages, and no error in the browser unnoticed.

import AxeBuilder from "@axe-core/playwright";
import { test as base, expect, type Page } from "@playwright/test";
import { Gate } from "./gate.ts";

interface Fixtures {
  /** The address that the demo printed; opening it signs in. */
  start: string;
  /** The address of the GitHub that the demo works with. */
  standIn: string;
  /** Holds steps until the test opens it. */
  gate: Gate;
  /** Opens Drover as the demo's user, and fails the test when a script of a page fails. */
  drover: Page;
}

export const test = base.extend<Fixtures>({
  start: async ({}, use) => {
    const start = process.env.DROVER_START;
    if (start === undefined) throw new Error("the demo was not started");
    await use(start);
  },
  standIn: async ({}, use) => {
    const address = process.env.DROVER_STAND_IN;
    if (address === undefined) throw new Error("the demo was not started");
    await use(address);
  },
  gate: async ({}, use) => {
    const data = process.env.DROVER_DATA;
    if (data === undefined) throw new Error("the demo was not started");
    const gate = new Gate(data);
    await use(gate);
    await gate.close();
  },
  baseURL: async ({ start }, use) => use(new URL(start).origin),
  drover: async ({ page, start }, use) => {
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(error.message));
    page.on("console", (message) => {
      const isLoading = message.text().startsWith("Failed to load resource");
      if (message.type() === "error" && !isLoading) errors.push(message.text());
    });
    await page.goto(start);
    await use(page);
    expect(errors, "errors in the browser").toEqual([]);
  },
});

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Wants no fault that axe finds: every rule in light, those of colours in dark as well. */
export async function expectAccessible(page: Page): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    const axe = new AxeBuilder({ page });
    if (colorScheme === "light") axe.withTags(TAGS);
    else axe.withRules(["color-contrast", "link-in-text-block"]);
    const { violations } = await axe.analyze();
    const faults = violations.flatMap(({ id, help, nodes }) =>
      nodes.map((node) => `${id}: ${help}: ${node.target.join(" ")}`),
    );
    expect(faults, `accessibility of ${page.url()} in ${colorScheme}`).toEqual([]);
  }
}

export { expect };
