import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../src/testing/database.ts';
import { queryOnce } from '../src/testing/query-once.ts';
import { openLeanConnection } from './lean-connection.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await queryOnce(database.adminUrl, 'create table noted (number integer primary key, text text, setting text)');
});
afterAll(() => database.drop());

const insert = `insert into noted values ($1, $2, current_setting('bench.set', true)) returning *, repeat('x', 200000)`;

describe('a lean connection', () => {
  it('runs its statement in full, each call in a transaction of its own, with nulls, any text and answers of many packets', async () => {
    const connection = await openLeanConnection(database.adminUrl, insert, `set bench.set = 'yes'`);
    const texts = ['plain', 'ünï — 漢字', '', null];
    for (const [number, text] of texts.entries()) await connection.run([String(number), text]);
    await connection.close();
    expect(await queryOnce(database.adminUrl, 'select text, setting from noted order by number')).toEqual(
      texts.map((text) => ({ text, setting: 'yes' })),
    );
  });

  it('throws what the server says, and goes on', async () => {
    const connection = await openLeanConnection(database.adminUrl, insert);
    await connection.run(['100', 'once']);
    await expect(connection.run(['100', 'twice'])).rejects.toThrow('duplicate key');
    await connection.run(['101', 'after']);
    await connection.close();
    expect(await queryOnce(database.adminUrl, 'select text from noted where number >= 100 order by number')).toEqual([{ text: 'once' }, { text: 'after' }]);
  });

  it('throws when its server is gone', async () => {
    const connection = await openLeanConnection(database.adminUrl, 'select pg_terminate_backend(pg_backend_pid())');
    await expect(connection.run([])).rejects.toThrow(/terminating|ended/);
  });

  it('throws at once where the statement is none', async () => {
    await expect(openLeanConnection(database.adminUrl, 'selekt 1')).rejects.toThrow('syntax error');
  });
});
