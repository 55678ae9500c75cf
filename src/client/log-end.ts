import { FollowError } from './errors.ts';

/** In a row the log must be seen to end before what was applied: a commit may be told of a moment before it shows. */
const looksUntilBelieved = 3;

/** Tells a database that was restored to an earlier time from one that only seems to be behind. */
export interface LogEnd {
  /** Whether the log goes back behind what was applied. Throws `UNAVAILABLE`, to be looked at again, until that is to be believed. */
  isBefore(applied: number, head: number): boolean;
}

export function createLogEnd(): LogEnd {
  let looks = 0;
  return {
    isBefore(applied, head) {
      looks = head < applied ? looks + 1 : 0;
      if (looks === 0) return false;
      if (looks < looksUntilBelieved) throw new FollowError('UNAVAILABLE', `The log ends at ${head}, before ${applied}.`);
      looks = 0;
      return true;
    },
  };
}
