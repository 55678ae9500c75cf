import { perMinuteSeconds } from './limits.ts';

/** The deliveries of a whole project, averaged over a minute, as Realtime limits them. */
export interface ProjectLimit {
  /** Counts a delivery. False: it is one too many. */
  admit(): boolean;
}

/** `perSecond`: null for no limit. `now`: in milliseconds. */
export function createProjectLimit(perSecond: number | null, now: () => number = () => performance.now()): ProjectLimit {
  const seconds = new Map<number, number>();
  return {
    admit() {
      if (perSecond === null) return true;
      const second = Math.floor(now() / 1_000);
      seconds.set(second, (seconds.get(second) ?? 0) + 1);
      for (const past of seconds.keys()) if (past <= second - perMinuteSeconds) seconds.delete(past);
      return [...seconds.values()].reduce((sum, count) => sum + count, 0) <= perSecond * perMinuteSeconds;
    },
  };
}
