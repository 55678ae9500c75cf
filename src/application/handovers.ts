/**
 * The handovers that a pump has under way: the next claim need not wait for the slowest of the last. What they throw is kept until the
 * pump asks, so that it is waited out in one place.
 */
export function createHandovers() {
  const underWay = new Set<Promise<void>>();
  const faults: unknown[] = [];

  return {
    count: (): number => underWay.size,

    add(handover: Promise<void>): void {
      const over = handover.catch((error: unknown) => void faults.push(error)).finally(() => underWay.delete(over));
      underWay.add(over);
    },

    /** Resolves when one of them is over. */
    oneIsOver: (): Promise<void> => Promise.race(underWay),

    /** Resolves when all of them are over; forgets their faults, which are of the trouble that the caller is about to wait out. */
    async allAreOver(): Promise<void> {
      await Promise.all(underWay);
      faults.length = 0;
    },

    /** Throws the first of their faults, if there was one. */
    throwFault(): void {
      if (faults.length > 0) throw faults[0];
    },
  };
}
