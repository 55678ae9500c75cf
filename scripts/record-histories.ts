// `npm run record:histories`, before each release whose workflows differ from the last: runs each workflow through its shapes on a
// real server and keeps their histories under the version of package.json. src/adapters/temporal/histories.unit.test.ts replays them.
// (In Temporal's own binary form: the SDK's JSON needs one protobufjs for all of its packages, which npm does not promise.)
// What the activities do is no part of a history, so they do nothing: they answer what leads the workflow where it is to go.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApplicationFailure } from '@temporalio/activity';
import { Client, type WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import proto from '@temporalio/proto';
import { NativeConnection, Worker } from '@temporalio/worker';
import { pino } from 'pino';
import type { Activities } from '../src/adapters/temporal/activities.ts';
import { installTemporalRuntime } from '../src/adapters/temporal/connection.ts';
import { loadWorkflowBundle } from '../src/adapters/temporal/workflow-bundle.ts';
import type { commandWorkflow, processWorkflow, scheduledCommandWorkflow } from '../src/adapters/temporal/workflows/index.ts';
import type { ProcessProgress } from '../src/application/advance-process.ts';
import { cacheDirectory } from '../src/local/cache-directory.ts';
import { projectRoot } from '../src/local/paths.ts';
import { choosePort } from '../src/local/ports.ts';
import { startTemporal } from '../src/local/temporal/start-temporal.ts';

const taskQueue = 'recording';
const call = { callId: 'call', name: 'place-with-supplier' };
const waiting: ProcessProgress = { status: 'open', nextTimerInMs: null, calls: [], more: false };
const done: ProcessProgress = { ...waiting, status: 'done' };

/** What `advanceProcess` returns, one step after the other, by the key of the instance. */
const steps: Readonly<Record<string, ProcessProgress[]>> = {
  'process-done': [{ ...waiting, more: true }, { ...waiting, calls: [call] }, { ...waiting, nextTimerInMs: 50 }, done],
  'process-cancelled': [waiting, { ...waiting, nextTimerInMs: 50 }, done],
  'process-moved': [waiting, waiting],
  'process-failed': [{ ...waiting, status: 'failed' }],
};

const activities: Activities = {
  async executeCommand({ commandId }) {
    if (commandId === 'command-dead-lettered') throw ApplicationFailure.nonRetryable('There is no such command.', 'Error');
    return 'succeeded';
  },
  async advanceProcess({ key }) {
    const progress = steps[key]?.shift();
    if (progress === undefined) throw ApplicationFailure.nonRetryable('No process manager is registered with this name.', 'Error');
    return progress;
  },
  async deadLetterCommand() {},
  async makeCall() {},
  async cancelProcess() {},
  async failProcess() {},
  async submitScheduledCommand() {},
};

installTemporalRuntime(pino({ level: 'warn' }));
const home = await mkdtemp(join(tmpdir(), 'intent-histories-'));
const temporal = await startTemporal({ directory: join(home, 'temporal'), port: await choosePort(27_233), uiPort: await choosePort(28_233), log: console.log });
if (temporal === undefined) throw new Error('A recording needs a Temporal server.');
try {
  await record(temporal.address);
} finally {
  await temporal.stop();
  await rm(home, { recursive: true, force: true });
}
process.exit(0);

async function record(address: string): Promise<void> {
  const connection = await NativeConnection.connect({ address });
  const client = new Client({ connection, identity: 'recorder' });
  const workflowBundle = await loadWorkflowBundle(cacheDirectory());
  const worker = await Worker.create({ connection, taskQueue, workflowBundle, activities, identity: 'recorder' });
  await worker.runUntil(async () => {
    for (const name of ['command-succeeded', 'command-dead-lettered']) {
      const handle = await client.workflow.start<typeof commandWorkflow>('commandWorkflow', { workflowId: name, taskQueue, args: [{ tenantId: 't', commandId: name }] });
      await keepHistory(name, client, handle);
    }
    const scheduled = await client.workflow.start<typeof scheduledCommandWorkflow>('scheduledCommandWorkflow', {
      workflowId: 'scheduled-command',
      taskQueue,
      args: [{ tenantId: 't', scheduleId: 'monthly' }],
      typedSearchAttributes: [{ key: defineSearchAttributeKey('TemporalScheduledStartTime', 'DATETIME'), value: new Date() }],
    });
    await keepHistory('scheduled-command', client, scheduled);
    for (const name of [...Object.keys(steps), 'process-broken']) {
      const handle = await client.workflow.start<typeof processWorkflow>('processWorkflow', {
        workflowId: name, taskQueue, args: [{ tenantId: 't', process: 'order-fulfilment', key: name }],
      });
      if (name === 'process-cancelled') await handle.cancel();
      if (name === 'process-moved') await handle.signal('wake', 'another-queue');
      await keepHistory(name, client, handle);
    }
  });
  await connection.close();
}

/** When the run has ended, in whatever way. */
async function keepHistory(name: string, client: Client, { workflowId, firstExecutionRunId }: WorkflowHandleWithFirstExecutionRunId): Promise<void> {
  const run = client.workflow.getHandle(workflowId, firstExecutionRunId, { followRuns: false });
  await run.result().catch(() => {});
  const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as { version: string };
  const directory = join(projectRoot, 'src', 'adapters', 'temporal', 'histories', version);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, `${name}.binpb`), proto.temporal.api.history.v1.History.encode(withoutStackTraces(await run.fetchHistory())).finish());
  console.log(`Recorded ${name}`);
}

/** They name folders of this machine, and no replay looks at them. */
function withoutStackTraces<Message>(message: Message): Message {
  if (typeof message !== 'object' || message === null || message instanceof Uint8Array) return message;
  for (const [name, value] of Object.entries(message)) {
    if (name === 'stackTrace') Object.assign(message, { stackTrace: '' });
    else withoutStackTraces(value);
  }
  return message;
}
