// Runs the program as somebody runs it in a terminal, and wants nothing of it left afterwards.

import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";
import { WAIT_MAX } from "./limits.ts";

const START_SECS_MAX = WAIT_MAX / 1000;
// Jobs have 20 s to end.
const STOP_SECS_MAX = 60;

const target = process.env.CARGO_TARGET_DIR ?? join(homedir(), ".cache/drover/target");
const program = process.env.DROVER_PROGRAM ?? join(target, "debug/drover");

export class Server {
  private constructor(
    private readonly child: ChildProcess,
    /** What it has written to standard output up to its address. */
    readonly printed: string,
  ) {}

  /** Returns when the server has printed what `ready` looks for. */
  static async start(
    args: string[],
    ready: RegExp,
    environment: Record<string, string> = {},
  ): Promise<Server> {
    const child = spawn(program, args, {
      // A group of its own, so that what it leaves behind can be seen.
      detached: true,
      stdio: ["ignore", "pipe", "inherit"],
      env: {
        DROVER_SITE_ROOT: join(target, "site"),
        RUST_LOG: "warn",
        ...process.env,
        ...environment,
      },
    });
    return new Server(child, await printedUntil(child, ready));
  }

  /** What the first group of an expression finds in what the server has printed. */
  find(expression: RegExp): string {
    const found = expression.exec(this.printed)?.[1];
    if (found === undefined) throw new Error(`no ${expression} in:\n${this.printed}`);
    return found;
  }

  /** Stops the server as Ctrl-C does, and wants no process of it left after that. */
  async stop(): Promise<void> {
    const { pid } = this.child;
    if (pid === undefined) return;
    process.kill(pid, "SIGINT");
    const until = Date.now() + STOP_SECS_MAX * 1000;
    while (isRunning(-pid)) {
      if (Date.now() > until) {
        process.kill(-pid, "SIGKILL");
        throw new Error(`processes of drover still ran ${STOP_SECS_MAX} s after Ctrl-C`);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port is free");
  return address.port;
}

function printedUntil(child: ChildProcess, ready: RegExp): Promise<string> {
  let printed = "";
  return new Promise((resolve, reject) => {
    const give = (why: string) => reject(new Error(`${why}; it printed:\n${printed}`));
    const timer = setTimeout(() => give("drover did not start"), START_SECS_MAX * 1000);
    child.once("error", (error) => give(`drover could not be started: ${error.message}`));
    child.once("exit", (code) => give(`drover ended with ${code}`));
    child.stdout?.on("data", (chunk: Buffer) => {
      printed += chunk.toString();
      if (!ready.test(printed)) return;
      clearTimeout(timer);
      resolve(printed);
    });
  });
}

/** Whether a process lives, or with a negative number any process of a group. */
function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
