import { createEmptyDatabase, type EmptyDatabase } from './empty-database.ts';

/** Sorted by language and by code point: no two of them stand in the same order. */
export const unlikeInOrder = ['Zebra', 'a-b', 'ab', 'aa', 'B', 'a:c', '10', '9'];

/** A database of the tests' server that sorts as English does, by ICU; the others there sort by code point. */
export function createIcuDatabase(): Promise<EmptyDatabase> {
  return createEmptyDatabase(`template template0 locale_provider icu icu_locale 'en-US'`);
}
