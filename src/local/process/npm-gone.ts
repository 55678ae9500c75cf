const lookEveryMs = 500;

/**
 * Tells when the npm that runs us is gone. It runs us in a shell and passes its signals on to that alone, which dies of them: nobody
 * else would tell us, and no event does. Nothing is told if it is not npm that runs us.
 */
export function onNpmGone(tell: () => void): void {
  if (process.env['npm_lifecycle_event'] === undefined) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    tell();
  }, lookEveryMs);
  timer.unref();
}
