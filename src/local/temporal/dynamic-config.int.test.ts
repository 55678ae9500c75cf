import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Client, Connection } from '@temporalio/client';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { projectRoot } from '../paths.ts';
import { chooseTestPort } from '../../testing/test-port.ts';
import { until } from '../process/until.ts';
import { dynamicConfigFlags } from './dynamic-config.ts';
import { locateTemporal } from './locate-temporal.ts';

const timeoutMs = 20_000;
const yaml = await readFile(join(projectRoot, 'temporal-config', 'development.yaml'), 'utf8');
const keys = Object.keys(parse(yaml) as object);

// The development server says nothing about a key that it does not know. It does complain, when it reads a key that it knows, about a
// value of the wrong type: so every key of the file must bring a complaint when it has a wrong value, and none when it has its own.
describe('temporal-config/development.yaml', () => {
  test('has only keys that the server reads', async () => {
    const wrong = keys.flatMap((key) => ['--dynamic-config-value', `${key}="of the wrong type"`]);
    // Servers since 1.32 name them in small letters.
    expect((await complaints(wrong)).map((key) => key.toLowerCase())).toEqual(keys.map((key) => key.toLowerCase()).toSorted());
  });

  test('has only values that the server accepts', async () => {
    expect(await complaints(dynamicConfigFlags(yaml))).toEqual([]);
  });
});

/** The keys whose values the server complains about while it is started, used and stopped. */
async function complaints(flags: readonly string[]): Promise<string[]> {
  const { executable } = await locateTemporal({ env: process.env, log: console.log });
  if (executable === undefined) throw new Error('This test needs a Temporal server.');
  const port = await chooseTestPort();
  const args = ['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--headless', '--log-level', 'warn'];
  const server = spawn(executable, [...args, ...flags], { stdio: ['ignore', 'ignore', 'pipe'], timeout: timeoutMs });
  const seen = complainedKeys(server.stderr);
  try {
    await useServer(`127.0.0.1:${port}`);
  } finally {
    server.kill();
    await once(server, 'close');
  }
  return [...(await seen)].toSorted();
}

async function complainedKeys(output: NodeJS.ReadableStream): Promise<Set<string>> {
  const keysSeen = new Set<string>();
  for await (const line of createInterface(output)) {
    const key = /Failed to convert value, using default" key=(\S+)/.exec(line)?.[1];
    if (key) keysSeen.add(key);
  }
  return keysSeen;
}

/** Lets a workflow's first task go through history and matching to a worker, so that the settings of both are read. */
async function useServer(address: string): Promise<void> {
  const connection = await connectWhenUp(address);
  const client = new Client({ connection });
  await client.workflow.start('unknown', { workflowId: 'one', taskQueue: 'queue' });
  const poll = { namespace: 'default', taskQueue: { name: 'queue' }, identity: 'test' };
  await connection.withDeadline(Date.now() + timeoutMs, () => client.workflowService.pollWorkflowTaskQueue(poll));
  await connection.close();
}

async function connectWhenUp(address: string): Promise<Connection> {
  let connection: Connection | undefined;
  const connect = async () => {
    connection = await Connection.connect({ address, connectTimeout: 1_000 }).catch(() => undefined);
    return connection !== undefined;
  };
  await until(connect, AbortSignal.timeout(timeoutMs));
  return connection!;
}
