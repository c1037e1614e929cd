// Starts `drover demo` on a free port with fresh data for all tests, and stops it after them.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

const START_SECS_MAX = 60;
const STOP_SECS_MAX = 15;

const target = process.env.CARGO_TARGET_DIR ?? join(homedir(), ".cache/drover/target");

export default async function start(): Promise<() => Promise<void>> {
  const data = await mkdtemp(join(tmpdir(), "drover-end2end-"));
  const port = await freePort();
  const program = process.env.DROVER_PROGRAM ?? join(target, "debug/drover");
  const demo = spawn(program, ["demo", "--port", `${port}`, "--data-dir", data], {
    // A group of its own, so that what it leaves behind can be seen.
    detached: true,
    stdio: ["ignore", "pipe", "inherit"],
    env: { DROVER_SITE_ROOT: join(target, "site"), ...process.env },
  });
  process.env.DROVER_START = await firstAddress(demo);
  return async () => {
    await stop(demo);
    await rm(data, { recursive: true, force: true });
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port is free");
  return address.port;
}

/** The first address that the demo prints: it is the one to open. */
function firstAddress(demo: ChildProcess): Promise<string> {
  let printed = "";
  return new Promise((resolve, reject) => {
    const give = (why: string) => reject(new Error(`${why}; it printed:\n${printed}`));
    const timer = setTimeout(() => give("drover demo printed no address"), START_SECS_MAX * 1000);
    demo.once("error", (error) => give(`drover demo could not be started: ${error.message}`));
    demo.once("exit", (code) => give(`drover demo ended with ${code}`));
    demo.stdout?.on("data", (chunk: Buffer) => {
      printed += chunk.toString();
      const address = /https?:\/\/\S+(?=\s)/.exec(printed)?.[0];
      if (address === undefined) return;
      clearTimeout(timer);
      resolve(address);
    });
  });
}

/** Stops the demo as Ctrl-C does, and wants nothing of it left after that. */
async function stop(demo: ChildProcess): Promise<void> {
  if (demo.pid === undefined) return;
  process.kill(demo.pid, "SIGINT");
  const until = Date.now() + STOP_SECS_MAX * 1000;
  while (isRunning(-demo.pid)) {
    if (Date.now() > until) {
      process.kill(-demo.pid, "SIGKILL");
      throw new Error(`processes of drover demo still ran ${STOP_SECS_MAX} s after Ctrl-C`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Whether a process lives, or with a negative number any process of a group. */
function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
