// Starts `drover demo` on a free port with fresh data for all tests, and stops it after them.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, Server } from "./server.ts";

export default async function start(): Promise<() => Promise<void>> {
  const data = await mkdtemp(join(tmpdir(), "drover-end2end-"));
  const args = ["demo", "--port", `${await freePort()}`, "--data-dir", data];
  const demo = await Server.start(args, /Ctrl-C/);
  process.env.DROVER_DATA = data;
  process.env.DROVER_START = demo.find(/Drover is at (\S+)/);
  process.env.DROVER_STAND_IN = demo.find(/GitHub stand-in: +(\S+)/);
  return async () => {
    await demo.stop();
    await rm(data, { recursive: true, force: true });
  };
}
