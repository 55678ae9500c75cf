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

    /** Resolves when all are over that are under way now. */
    async allAreOver(): Promise<void> {
      await Promise.all(underWay);
    },

    /** Throws the first of their faults, if there was one. */
    throwFault(): void {
      if (faults.length > 0) throw faults[0];
    },

    forgetFaults(): void {
      faults.length = 0;
    },
  };
}
