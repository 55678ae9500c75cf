import { randomUUID } from 'node:crypto';
import { inject } from 'vitest';
import { queryOnce } from './query-once.ts';
import { databaseUrl, dropDatabase } from './template-database.ts';

/** Sorted by language and by code point: no two of them stand in the same order. */
export const unlikeInOrder = ['Zebra', 'a-b', 'ab', 'aa', 'B', 'a:c', '10', '9'];

export interface EmptyDatabase {
  readonly name: string;
  readonly adminUrl: string;
  drop(): Promise<void>;
}

/** A database of the tests' server that sorts as English does, by ICU; the others there sort by code point. */
export async function createIcuDatabase(): Promise<EmptyDatabase> {
  const { adminUrl } = inject('database');
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await queryOnce(adminUrl, `create database ${name} template template0 locale_provider icu icu_locale 'en-US'`);
  return { name, adminUrl: databaseUrl(adminUrl, name), drop: () => dropDatabase(adminUrl, name) };
}
