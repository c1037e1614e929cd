// Lets steps wait until a test has seen what it wants to see, however long that takes.

import { readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

const POLL_MILLIS = 200;

/** A line of a step that waits until the gate is open, and leaves nothing behind. */
export const WAIT_AT_GATE =
  "touch at-gate; until [ -e gate-open ]; do sleep 0.1; done; rm at-gate gate-open";

/** Stands between two lines of every step that runs in a data directory. */
export class Gate {
  private isClosed = true;
  private opening: Promise<void> = Promise.resolve();

  constructor(private readonly data: string) {}

  /** From now on, nobody waits any more. */
  open(): void {
    if (!this.isClosed) return;
    this.isClosed = false;
    this.opening = this.letThrough();
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await this.opening;
  }

  private async letThrough(): Promise<void> {
    while (!this.isClosed) {
      // A folder may go while it is read: its step has ended.
      const names = await readdir(join(this.data, "work"), { recursive: true }).catch(() => []);
      for (const name of names.filter((name) => name.endsWith("at-gate"))) {
        const folder = dirname(join(this.data, "work", name));
        await writeFile(join(folder, "gate-open"), "").catch(() => undefined);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MILLIS));
    }
  }
}
