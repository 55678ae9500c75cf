import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { SearchAttributeType, defineSearchAttributeKey } from '@temporalio/common';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { chooseTestPort } from '../../testing/test-port.ts';
import { StackError } from '../stack-error.ts';
import type { RunningTemporal } from './start-temporal.ts';
import { startTemporal } from './start-temporal.ts';

const withoutAddress = { ...process.env, TEMPORAL_ADDRESS: undefined };

let home: string;
const running: RunningTemporal[] = [];

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'intent-temporal-'));
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((temporal) => temporal.stop()));
});

afterAll(() => rm(home, { recursive: true, force: true }));

describe('startTemporal', () => {
  test('starts a server that keeps workflows, finds them by TenantId, and ends when it is stopped', async () => {
    const first = await start('kept');
    await withClient(first, (client) =>
      client.workflow.start('unknown', {
        taskQueue: 'nobody-polls',
        workflowId: 'one',
        typedSearchAttributes: [{ key: defineSearchAttributeKey('TenantId', SearchAttributeType.KEYWORD), value: 'rose' }],
      }),
    );
    await first.stop();
    expect(() => process.kill(first.pid!, 0)).toThrow('ESRCH');

    const second = await start('kept');
    const found = await withClient(second, (client) => client.workflow.count(`TenantId = 'rose'`));
    expect(found.count).toBe(1);
  });

  test('runs beside another one, on other ports', async () => {
    const [one, other] = await Promise.all([start('one/temporal'), start('other/temporal')]);
    expect(one.address).not.toBe(other.address);
    for (const temporal of [one, other]) {
      expect((await fetch(temporal.uiUrl!)).status).toBe(200);
      const described = await withClient(temporal, (client) => client.workflowService.describeNamespace({ namespace: temporal.namespace }));
      expect(described.namespaceInfo?.name).toBe('default');
    }
  });

  test('takes the server at TEMPORAL_ADDRESS and leaves it alone', async () => {
    const ours = await start('theirs/temporal');
    const env = { TEMPORAL_ADDRESS: ours.address };
    const theirs = await startTemporal({ directory: join(home, 'unused'), port: 0, uiPort: 0, log: () => {}, env });
    expect(theirs).toMatchObject({ address: ours.address, namespace: 'default', uiUrl: null });
    await theirs!.stop();
    expect(process.kill(ours.pid!, 0)).toBe(true);
  });

  test('tells what to do where nothing answers at TEMPORAL_ADDRESS', async () => {
    const env = { TEMPORAL_ADDRESS: `127.0.0.1:${await chooseTestPort()}` };
    const starting = startTemporal({ directory: join(home, 'unused'), port: 0, uiPort: 0, log: () => {}, env });
    await expect(starting).rejects.toThrow(/Temporal at 127.0.0.1:\d+ \(TEMPORAL_ADDRESS\) does not answer/);
  });

  test('tells what to do where the database is damaged', async () => {
    const directory = join(home, 'damaged');
    await mkdir(directory);
    await writeFile(join(directory, 'temporal.db'), 'this is no database, '.repeat(200));
    const failure = await start('damaged').catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(StackError);
    expect((failure as StackError).message).toContain(`${join(directory, 'temporal.db')} is damaged`);
    expect((failure as StackError).remedy).toContain('--fresh');
  });
});

async function start(directory: string): Promise<RunningTemporal> {
  const port = await chooseTestPort();
  const uiPort = await chooseTestPort();
  const temporal = await startTemporal({ directory: join(home, directory), port, uiPort, log: console.log, env: withoutAddress });
  if (!temporal) throw new Error('These tests need a Temporal server; see the notice above.');
  running.push(temporal);
  return temporal;
}

async function withClient<T>(temporal: RunningTemporal, use: (client: Client) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address: temporal.address });
  try {
    return await use(new Client({ connection }));
  } finally {
    await connection.close();
  }
}
