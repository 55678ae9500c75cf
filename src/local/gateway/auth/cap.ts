/** Runs what it is given, or returns 'busy' if `maxAtOnce` others have not ended. */
export type Cap = <Result>(work: () => Promise<Result>) => Promise<Result | 'busy'>;

export function createCap(maxAtOnce: number): Cap {
  let running = 0;
  return async (work) => {
    if (running >= maxAtOnce) return 'busy';
    running += 1;
    try {
      return await work();
    } finally {
      running -= 1;
    }
  };
}
