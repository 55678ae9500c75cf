/** What runs something to its end, such as a command through an engine. */
export interface Runs {
  runOne(): Promise<void>;
}

/** So many at once: how many in a second, of those that ended in time and after. */
export async function rateOf(runs: Runs, { inFlight, ms }: { inFlight: number; ms: number }): Promise<number> {
  const beganAt = performance.now();
  const counts = await Promise.all(Array.from({ length: inFlight }, async () => {
    let count = 0;
    for (; performance.now() - beganAt < ms; count += 1) await runs.runOne();
    return count;
  }));
  return counts.reduce((sum, count) => sum + count, 0) / ((performance.now() - beganAt) / 1000);
}

/** One after the other: how many milliseconds each took. */
export async function timesOf(runs: Runs, count: number): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < count; n += 1) {
    const beganAt = performance.now();
    await runs.runOne();
    times.push(performance.now() - beganAt);
  }
  return times;
}
