import pg from 'pg';
import { expect, it } from 'vitest';
import { readFromRoot, trackedFiles } from '../../testing/tracked-files.ts';
import { postgresUrl } from './postgres-url.ts';

it.each(['p@ss/w:rd#1', '%41?a=b&c', '[::1]', 'a b\\c"\'', 'ä€'])('an address carries the password %s to the driver as it is', (password) => {
  const { user, password: read, host, port, database } = new pg.Client(postgresUrl({ user: 'a@b', password }, { port: 5432 }, 'intent'));
  expect({ user, read, host, port, database }).toEqual({ user: 'a@b', read: password, host: '127.0.0.1', port: 5432, database: 'intent' });
});

it('no other file puts one together', () => {
  const sources = trackedFiles().filter((file) => /\.(ts|mjs|sh|ya?ml|service)$/.test(file) && !file.endsWith('.test.ts'));
  expect(sources).toContain('docker-compose.yml');
  const withPassword = /postgres(ql)?:\/\/[^\s'"`@/]*:[^\s'"`/]*\$\{[^\s]*@|postgres(ql)?:\/\/[^\s'"`]*\$\{[^}]*password/i;
  expect(sources.filter((file) => withPassword.test(readFromRoot(file)))).toEqual(['src/local/postgres/postgres-url.ts']);
});
