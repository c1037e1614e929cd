import { defineConfig, devices } from "@playwright/test";
import { WAIT_MAX } from "./limits.ts";

// Debian's browser, and not one that Playwright downloads. It runs as root in a container, where
// its own sandbox cannot, and shall look up nothing but the pages under test.
const launchOptions = {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
};
const chromium = { ...devices["Desktop Chrome"], launchOptions };
const isForReadme = process.env.SCREENSHOTS === "1";

export default defineConfig({
  globalSetup: "./demo.ts",
  testDir: "./tests",
  outputDir: "./test-results",
  // All tests share one server, and the first one wants to see it empty.
  workers: 1,
  // A machine may be slow for as long as it likes: each wait has a limit, and a test as a whole has
  // none. The run has one, against a hang outside of every wait.
  timeout: 0,
  globalTimeout: 90 * 60_000,
  expect: { timeout: WAIT_MAX },
  forbidOnly: true,
  reporter: "list",
  maxFailures: 5,
  use: {
    actionTimeout: WAIT_MAX,
    navigationTimeout: WAIT_MAX,
    screenshot: "only-on-failure",
    trace: "retain-on-failure",
  },
  projects: isForReadme
    ? [{ name: "screenshots", testMatch: "screenshots.ts", use: chromium }]
    : [
        { name: "with JavaScript", testIgnore: "*without_javascript*", use: chromium },
        {
          name: "without JavaScript",
          testMatch: "*without_javascript*",
          use: { ...chromium, javaScriptEnabled: false },
          // One after the other: the first test of the other project wants an empty server.
          dependencies: ["with JavaScript"],
        },
      ],
});
