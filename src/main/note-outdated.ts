import { ReleaseOutdated, SchemaUnfit } from '../ports/errors.ts';

/** Tells of what this release cannot read, or has no functions for: that waits for a deploy, and anyone who operates this should know. */
export function noteOutdated<Given extends readonly unknown[], Value>(
  work: (...given: Given) => Promise<Value>,
  noteWaiting: (why: string) => void,
): (...given: Given) => Promise<Value> {
  return async (...given) => {
    try {
      return await work(...given);
    } catch (error) {
      if (error instanceof ReleaseOutdated) noteWaiting(`a newer release: ${error.message}`);
      if (error instanceof SchemaUnfit) noteWaiting(`a schema that fits: ${error.message}`);
      throw error;
    }
  };
}
