import { ReleaseOutdated } from '../ports/errors.ts';

/** Tells of what this release cannot read: that waits for a newer one, and anyone who operates this should know. */
export function noteOutdated<Given extends readonly unknown[], Value>(
  work: (...given: Given) => Promise<Value>,
  noteWaiting: (why: string) => void,
): (...given: Given) => Promise<Value> {
  return async (...given) => {
    try {
      return await work(...given);
    } catch (error) {
      if (error instanceof ReleaseOutdated) noteWaiting(`a newer release: ${error.message}`);
      throw error;
    }
  };
}
