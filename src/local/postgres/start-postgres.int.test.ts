import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startAbandonedServer } from '../../testing/abandoned-server.ts';
import { queryOnce } from '../../testing/query-once.ts';
import { chooseTestPort } from '../../testing/test-port.ts';
import { processIdentity } from '../process/process-identity.ts';
import { StackError } from '../stack-error.ts';
import { startPostgres } from './start-postgres.ts';
import type { RunningPostgres } from './start-postgres.ts';

const password = 'pass word/with:signs';
let home: string;
let port: number;
let running: RunningPostgres | undefined;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'intent-postgres-'));
  port = await chooseTestPort();
});

afterEach(() => running?.stop());
afterAll(() => rmSync(home, { recursive: true, force: true }));

const data = () => join(home, 'postgres');

async function start(directory = data()): Promise<RunningPostgres> {
  running = await startPostgres({ directory, port, password, log: () => {} });
  return running;
}

async function refusal(directory: string): Promise<StackError> {
  const error = await start(directory).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(StackError);
  return error as StackError;
}

describe('startPostgres', () => {
  it('makes a PostgreSQL 17 with logical replication and asks for passwords', async () => {
    const server = await start();
    const [row] = await queryOnce(
      server.adminUrl(),
      `select current_setting('server_version_num')::int / 10000 as major, current_setting('wal_level') as wal_level`,
    );
    expect(row).toEqual({ major: 17, wal_level: 'logical' });
    const withWrongPassword = server.adminUrl().replace(encodeURIComponent(password), 'wrong');
    await expect(queryOnce(withWrongPassword, 'select 1')).rejects.toThrow('password');
  });

  it('keeps the data from one start to the next', async () => {
    const first = await start();
    await queryOnce(first.adminUrl(), 'create table kept as select 42 as answer');
    await first.stop();
    const second = await start();
    expect(await queryOnce(second.adminUrl(), 'select answer from kept')).toEqual([{ answer: 42 }]);
  });

  it('leaves no process behind when it stops, also with clients that stay connected', async () => {
    const server = await start();
    const client = new pg.Client({ connectionString: server.adminUrl() });
    client.on('error', () => {});
    await client.connect();
    const pid = Number.parseInt(readFileSync(join(data(), 'postmaster.pid'), 'utf8'), 10);
    await server.stop();
    expect(processIdentity(pid)).toBeUndefined();
    expect(existsSync(join(data(), 'postmaster.pid'))).toBe(false);
  });

  it('ends the server that a killed stack has left, and starts anew', async () => {
    const orphan = await startAbandonedServer(data(), port, password);
    const server = await start();
    expect(processIdentity(orphan)).toBeUndefined();
    expect(await queryOnce(server.adminUrl(), 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  it('starts although the pid in a stale postmaster.pid belongs to another program now', async () => {
    writeFileSync(join(data(), 'postmaster.pid'), `${process.pid}\n${data()}\n`);
    const server = await start();
    expect(await queryOnce(server.adminUrl(), 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  it('tells a failed start with what the server said', async () => {
    await start();
    const second = startPostgres({ directory: join(home, 'other'), port, password, log: () => {} });
    await expect(second).rejects.toThrow(/could not bind/);
  });

  it('says so when the data was made by another major version', async () => {
    const directory = join(home, 'old');
    mkdirSync(directory);
    writeFileSync(join(directory, 'PG_VERSION'), '16\n');
    const { message, remedy } = await refusal(directory);
    expect(message).toContain('was made by PostgreSQL 16');
    expect(remedy).toContain('--fresh');
  });

  it('says so when the directory is no database', async () => {
    mkdirSync(join(home, 'empty'));
    expect((await refusal(join(home, 'empty'))).message).toContain('is not a PostgreSQL data directory');
  });

  it('says so when the password is that of other data', async () => {
    const started = startPostgres({ directory: data(), port, password: 'of another stack', log: () => {} });
    await expect(started).rejects.toThrow('belongs to other data');
  });

  it('says so when the data is damaged', async () => {
    rmSync(join(data(), 'global', 'pg_control'));
    const { message, remedy } = await refusal(data());
    expect(message).toContain('pg_control');
    expect(remedy).toContain('--fresh');
  });
});
