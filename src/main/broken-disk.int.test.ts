import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { type MainProcess, startMainProcess } from '../testing/main-process.ts';
import { needs } from '../testing/needs.ts';
import { type OwnDatabase, startOwnDatabase } from '../testing/own-database.ts';
import { createScratchDirectory } from '../testing/scratch-directory.ts';
import { moveWalToSmallDisk, type SmallDisk } from '../testing/small-disk.ts';
import { type Claims, claimsOf, createTenant, openBudget, submitAs } from '../testing/tenant.ts';

const hasStrace = spawnSync('strace', ['-V']).status === 0;
if (!hasStrace) console.log('The test of a failing fsync is left out: it needs strace.');

const scratch = await createScratchDirectory();
const database: OwnDatabase = await startOwnDatabase(scratch.path, undefined, { fsync: 'on' });
const walDisk: SmallDisk | undefined = await moveWalToSmallDisk(database);
let worker: MainProcess;
let owner: Claims;
beforeAll(async () => {
  owner = claimsOf(await createTenant(database.admin), 'owner');
  worker = await startMainProcess('worker', database, { INTENT_ENGINE: 'inline' });
  await worker.ready();
});
afterAll(async () => {
  await worker.stop();
  await database.stop();
  await walDisk?.remove();
  scratch.remove();
});

const submit = (commandId: string) => submitAs(database.admin, owner, { ...openBudget(commandId), commandId });

/** Submits one command after the other until the server refuses one. Returns what was acknowledged, and the id of which nobody knows. */
async function submitUntilItBreaks(): Promise<{ acknowledged: string[]; unknown: string }> {
  const acknowledged: string[] = [];
  for (;;) {
    const commandId = randomUUID();
    try {
      await submit(commandId);
    } catch {
      return { acknowledged, unknown: commandId };
    }
    acknowledged.push(commandId);
  }
}

/** What has come through the pipe by now: the client may hear of the crash first. */
const serverLog = () => readFileSync(join(scratch.path, 'logs', 'postgres.log'), 'utf8');

/** Each of them has its one event, once the same process has got over it. */
async function expectEachOnce(commandIds: readonly string[]): Promise<void> {
  const events = async () => {
    const { rows } = await database.admin.query<{ id: string }>(
      `select metadata ->> 'commandId' as id from intent.events where metadata ->> 'commandId' = any ($1) order by 1`, [commandIds]);
    return rows.map(({ id }) => id);
  };
  await expect.poll(events, { timeout: 30_000 }).toEqual(commandIds.toSorted());
}

it('a server without space for its WAL crashes, and after it everything acknowledged is executed once', { ...needs(walDisk, 'no small disk can be mounted'), timeout: 90_000 }, async () => {
  const before = [randomUUID(), randomUUID()];
  for (const commandId of before) await submit(commandId);
  walDisk!.fill();
  // The segments that it has made in advance are used up first.
  const using = (async () => {
    for (;;) await database.admin.query('select pg_switch_wal()');
  })().catch(() => {});
  const { acknowledged, unknown } = await submitUntilItBreaks();
  await using;
  await expect.poll(serverLog).toMatch(/PANIC: .*No space left on device/);

  walDisk!.free();
  await database.restart('fast');
  await submit(unknown);
  await expectEachOnce([...before, ...acknowledged, unknown]);
});

it('a server whose fsync fails crashes, and after it everything acknowledged is executed once', { ...needs(hasStrace, 'strace is not installed'), timeout: 90_000 }, async () => {
  const before = [randomUUID(), randomUUID()];
  for (const commandId of before) await submit(commandId);
  const failing = await failSyncs();
  const { acknowledged, unknown } = await submitUntilItBreaks();
  await expect.poll(serverLog).toMatch(/PANIC: .*Input\/output error/);

  await failing();
  await database.restart('fast');
  await submit(unknown);
  await expectEachOnce([...before, ...acknowledged, unknown]);
});

/** From now on the disk says that it could not write, to every process of the server. Returns how to end that. */
async function failSyncs(): Promise<() => Promise<void>> {
  const pids = [database.postmasterPid(), ...(await serverProcesses())];
  const strace: ChildProcess = spawn('strace', ['-f', '-qq', '-e', 'trace=fsync,fdatasync', '-e', 'inject=fsync,fdatasync:error=EIO', ...pids.flatMap((pid) => ['-p', String(pid)])], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(strace, 'exit');
  onTestFinished(() => void strace.kill());
  return async () => {
    strace.kill();
    await ended;
  };
}

async function serverProcesses(): Promise<number[]> {
  return (await database.admin.query<{ pid: number }>('select pid from pg_stat_activity')).rows.map(({ pid }) => pid);
}
