// How long a test waits for one thing: far longer than it takes on any machine that works.

/** In milliseconds. */
export const WAIT_MAX = 180_000;
