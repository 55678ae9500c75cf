/** npm passes a Ctrl-C on that the terminal has sent to us already: what comes this soon is the same one. */
const sameKeyMs = 500;
const lookForParentEveryMs = 500;

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
  if (process.env['npm_lifecycle_event'] !== undefined) {
    onParentGone(() => {
      if (askedAt === undefined) hear();
    });
  }
  return { stopped: stopped.promise, signal: asked.signal };
}

/** npm runs us in a shell and passes its signals on to that alone, which dies of them: nobody else would tell us. No event tells it. */
function onParentGone(tell: () => void): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    tell();
  }, lookForParentEveryMs);
  timer.unref();
}
