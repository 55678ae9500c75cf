/** Runs work side by side in so many lanes at most; what finds none free waits, first come, first served. */
export function createLanes(count: number) {
  const waiting: (() => void)[] = [];
  let free = count;

  return async <Value>(work: () => Promise<Value>): Promise<Value> => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      // The lane goes to the next one, or becomes free.
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}
