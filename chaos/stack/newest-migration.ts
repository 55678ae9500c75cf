import { behaviourIncludes, withIncludes } from '../../src/testing/with-includes.ts';

/** What a migration may do at most while everything runs: it lays all of the behaviour once more. */
export function newestMigration(): string {
  return withIncludes(behaviourIncludes);
}
