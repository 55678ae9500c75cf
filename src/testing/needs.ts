import type { TestOptions } from 'vitest';

declare module 'vitest' {
  interface TaskMeta {
    /** Why it is left out; the summary at the end of a run gives it. */
    whySkipped?: string;
  }
}

/**
 * Options of a test, or of a `describe`, that needs what not every machine has: without it (false, undefined) they are left out, and the
 * run's summary gives the reason. It is the only way to leave a test out.
 */
export function needs(what: unknown, whySkipped: string): TestOptions {
  return what === false || what === undefined ? { skip: true, meta: { whySkipped } } : {};
}
