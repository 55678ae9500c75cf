import { randomUUID } from 'node:crypto';
import { inject } from 'vitest';
import { queryOnce } from './query-once.ts';
import { databaseUrl, dropDatabase } from './template-database.ts';

export interface EmptyDatabase {
  readonly name: string;
  readonly adminUrl: string;
  drop(): Promise<void>;
}

/** A database of the tests' server that nothing has been laid in. `options` are those of CREATE DATABASE. */
export async function createEmptyDatabase(options = ''): Promise<EmptyDatabase> {
  const { adminUrl } = inject('database');
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await queryOnce(adminUrl, `create database ${name} ${options}`);
  return { name, adminUrl: databaseUrl(adminUrl, name), drop: () => dropDatabase(adminUrl, name) };
}
