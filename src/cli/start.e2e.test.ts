import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { processIdentity } from '../local/process/process-identity.ts';
import { readStackInfo } from '../local/stack-info.ts';
import { preferredPorts } from '../local/stack-ports.ts';
import { queryOnce } from '../testing/query-once.ts';
import { runNpmStart, runStartCommand } from '../testing/start-command.ts';
import type { StartCommand } from '../testing/start-command.ts';

const stopBoundMs = 10_000;
const directory = mkdtempSync(join(tmpdir(), 'intent-start-'));

afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function startReady(...args: string[]): Promise<StartCommand> {
  const command = runStartCommand(directory, '--no-example', ...args);
  await command.line('Ready after');
  return command;
}

function recordedPid(name: string): number {
  return (JSON.parse(readFileSync(join(directory, 'run', `${name}.json`), 'utf8')) as { pid: number }).pid;
}

function recordedPids(): number[] {
  const records = join(directory, 'run');
  if (!existsSync(records)) return [];
  return readdirSync(records).map((file) => recordedPid(file.slice(0, -'.json'.length)));
}

function stillRunning(pids: number[]): number[] {
  return pids.filter((pid) => processIdentity(pid) !== undefined);
}

function recordedAndRunning(): number[] {
  return stillRunning(recordedPids());
}

function query(text: string): Promise<Record<string, unknown>[]> {
  return queryOnce(readStackInfo(directory)!.databaseUrl, text);
}

describe('a started stack', () => {
  const blocker = createServer();
  let command: StartCommand;

  beforeAll(async () => {
    // If somebody else has the port already, so much the better.
    blocker.on('error', () => {});
    blocker.listen(preferredPorts.api, '127.0.0.1');
    command = await startReady();
    await query('create table public.kept as select 42 as answer');
  });

  afterAll(async () => {
    blocker.close();
    command.kill('SIGKILL');
    await command.ended;
  });

  it('takes the next free port where one is in use', async () => {
    const { apiUrl } = readStackInfo(directory)!;
    expect(Number(new URL(apiUrl).port)).toBeGreaterThan(preferredPorts.api);
    expect((await fetch(`${apiUrl}/auth/v1/.well-known/jwks.json`)).status).toBe(200);
  });

  it('writes stack.json for its owner only', () => {
    expect(statSync(join(directory, 'stack.json')).mode & 0o777).toBe(0o600);
  });

  it('refuses a second start in the same directory, which tells where the first one is', async () => {
    const { code, output } = await runStartCommand(directory).ended;
    expect(code).toBe(1);
    expect(output).toContain(`(pid ${command.pid}) at ${readStackInfo(directory)!.apiUrl}`);
    expect(output).not.toContain('    at ');
  });

  it('starts a worker again that was killed', async () => {
    process.kill(recordedPid('worker'), 'SIGKILL');
    await command.line('worker ended (SIGKILL); starting it again');
    await expect.poll(() => existsSync(join(directory, 'run', 'worker.json')), { timeout: 20_000 }).toBe(true);
  });
});

describe('a stack after one that was killed with -9', () => {
  let orphans: number[];
  let command: StartCommand;

  beforeAll(async () => {
    orphans = recordedAndRunning();
    command = await startReady();
  });

  afterAll(() => command.kill('SIGINT'));

  it('ends what the killed one has left running', () => {
    expect(orphans.length).toBeGreaterThanOrEqual(4);
    expect(stillRunning(orphans)).toEqual([]);
  });

  it('has the data', async () => {
    expect(await query('select answer from public.kept')).toEqual([{ answer: 42 }]);
  });

  it('stops, and says which part it was, when a part ends by itself', async () => {
    const pids = recordedAndRunning();
    process.kill(recordedPid('postgrest'), 'SIGKILL');
    const { code, output } = await command.ended;
    expect(code).toBe(1);
    expect(output).toContain('postgrest ended unexpectedly, by SIGKILL');
    expect(stillRunning(pids)).toEqual([]);
  });
});

describe('a stack that is told to stop', () => {
  it.each([
    { moment: 'it begins', come: (command: StartCommand) => command.line('Starting the local stack') },
    {
      moment: 'its first process runs',
      come: () => expect.poll(recordedAndRunning, { interval: 5, timeout: 20_000 }).not.toEqual([]),
    },
  ])('leaves nothing running when that comes as soon as $moment', async ({ come }) => {
    const command = runStartCommand(directory);
    await come(command);
    command.kill('SIGINT');
    const { code, output } = await command.ended;
    expect(code).toBe(0);
    expect(output).not.toContain('Ready after');
    await expect.poll(recordedAndRunning).toEqual([]);
    expect(existsSync(join(directory, 'stack.lock'))).toBe(false);
  });
});

describe('a stack that npm runs', () => {
  it('is stopped, and leaves nothing running, when npm alone gets a SIGTERM', { timeout: 90_000 }, async () => {
    const npm = runNpmStart(directory, '--no-example');
    await npm.line('Ready after');
    const pids = recordedAndRunning();
    expect(pids.length).toBeGreaterThanOrEqual(4);
    npm.kill('SIGTERM');
    expect((await npm.ended).output).toContain('Stopped. The data is kept for the next start.');
    expect(stillRunning(pids)).toEqual([]);
    expect(existsSync(join(directory, 'stack.lock'))).toBe(false);
  });
});

describe('a stack whose secrets are damaged', () => {
  beforeAll(() => writeFileSync(join(directory, 'secrets.json'), 'not JSON'));

  it('does not start, and says what to do', async () => {
    const { code, output } = await runStartCommand(directory).ended;
    expect(code).toBe(1);
    expect(output).toContain('--fresh');
    expect(output).not.toContain('    at ');
  });

  it('begins anew with --fresh, and is gone within 10 s of Ctrl-C with every process and lock', { timeout: 90_000 }, async () => {
    const command = await startReady('--fresh');
    expect(await query(`select to_regclass('public.kept') as kept`)).toEqual([{ kept: null }]);
    const pids = recordedAndRunning();

    const askedAt = performance.now();
    command.kill('SIGINT');
    expect(await command.ended).toMatchObject({ code: 0 });
    expect(performance.now() - askedAt).toBeLessThan(stopBoundMs);
    expect(stillRunning(pids)).toEqual([]);
    expect(existsSync(join(directory, 'stack.json'))).toBe(false);
    expect(existsSync(join(directory, 'stack.lock'))).toBe(false);
  });
});
