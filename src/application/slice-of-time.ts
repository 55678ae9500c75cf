import type { Clock } from '../ports/clock.ts';

/** For so long at most a computation keeps the thread to itself: health checks and other tenants' commands wait for it. */
const sliceMs = 10;

export interface SliceOfTime {
  isOver(): boolean;
  /** Lets others go first, and begins the next slice. */
  next(): Promise<void>;
}

/** For loops that call the domain: `if (slice.isOver()) await slice.next()` between two steps. What one step takes, nothing bounds. */
export function sliceOfTime(clock: Clock): SliceOfTime {
  let endsAt = performance.now() + sliceMs;
  return {
    isOver: () => performance.now() >= endsAt,
    async next() {
      await clock.breathe();
      endsAt = performance.now() + sliceMs;
    },
  };
}
