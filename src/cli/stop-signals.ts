import { onNpmGone } from '../local/process/npm-gone.ts';

/** npm passes a Ctrl-C on that the terminal has sent to us already: what comes this soon is the same one. */
const sameKeyMs = 500;

export interface StopSignals {
  /** Resolves at the first request to stop. */
  readonly stopped: Promise<void>;
  /** Aborts at the same moment. */
  readonly signal: AbortSignal;
}

/** Listens for Ctrl-C, SIGTERM, the closing of the terminal, and the end of the npm that runs us. A second Ctrl-C calls `insist`. */
export function listenForStop(insist: () => void): StopSignals {
  const asked = new AbortController();
  const stopped = Promise.withResolvers<void>();
  let askedAt: number | undefined;
  const hear = () => {
    if (askedAt !== undefined && performance.now() - askedAt > sameKeyMs) insist();
    askedAt ??= performance.now();
    asked.abort();
    stopped.resolve();
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, hear);
  onNpmGone(() => {
    if (askedAt === undefined) hear();
  });
  return { stopped: stopped.promise, signal: asked.signal };
}
