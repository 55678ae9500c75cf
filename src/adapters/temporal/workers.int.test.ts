import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ProcessProgress } from '../../application/advance-process.ts';
import { needs } from '../../testing/needs.ts';
import { connectToTestTemporal, startTestTemporal, startTestWorkers } from '../../testing/temporal.ts';
import type { Activities } from './activities.ts';
import type { TemporalConnection } from './connection.ts';
import { createTemporalProcessWaker } from './process-waker.ts';
import { registerTenantAttribute } from './tenant-attribute.ts';
import { commandStart, processWorkflowId } from './workflow-starts.ts';

const log = pino({ level: 'silent' });
const temporal = await startTestTemporal();
const tenant = { tenantId: '00000000-0000-4000-8000-0000000000aa', isolation: 'shared', fairnessWeight: 1 } as const;

describe('the Workers', needs(temporal, 'there is no Temporal'), () => {
  let connected: TemporalConnection;
  beforeAll(async () => {
    connected = await connectToTestTemporal(temporal!, log);
  });
  afterAll(async () => {
    await connected.connection.close();
    await temporal!.stop();
  });

  it('register the search attribute TenantId where a namespace lacks it, without which it takes no workflow', async () => {
    const { connection, client, namespace } = connected;
    await connection.operatorService.removeSearchAttributes({ namespace, searchAttributes: ['TenantId'] });
    const start = () => client.workflow.start('commandWorkflow', commandStart({ ...tenant, commandId: 'c', type: 'OpenBudget', correlationId: 'c' }, 1));
    const answer = () => start().then((workflow) => workflow.terminate()).then(() => 'started', (error: Error) => error.message);
    // The server looks at its namespaces anew every two seconds.
    await expect.poll(answer, { timeout: 10_000 }).toBe('Failed to start Workflow');
    await registerTenantAttribute(connection, namespace, log);
    await registerTenantAttribute(connection, namespace, log);
    await expect.poll(answer, { timeout: 10_000 }).toBe('started');
  });

  it('of a new release go on with what those of the old one have begun', async () => {
    const { client, connection, namespace } = connected;
    const reference = { tenantId: tenant.tenantId, process: 'order-fulfilment', key: 'deployed' };
    const waker = createTemporalProcessWaker({ client, sharedQueues: 1 });
    const makeCurrent = (buildId: string) =>
      expect
        .poll(() => connection.workflowService.setWorkerDeploymentCurrentVersion({ namespace, deploymentName: 'intent', buildId, identity: 'test' }).then(() => buildId, () => undefined), { timeout: 20_000, interval: 200 })
        .toBe(buildId);

    const advancedBy: string[] = [];
    const release = (buildId: string, progress: ProcessProgress) =>
      startTestWorkers(temporal!, { activities: answering(progress, () => advancedBy.push(buildId)), log, buildId });
    const waiting: ProcessProgress = { status: 'open', nextTimerInMs: null, calls: [], more: false };
    const old = await release('1.0.0', waiting);
    await makeCurrent('1.0.0');
    await waker.wake({ ...reference, ...tenant, correlationId: null });
    await expect.poll(() => advancedBy, { timeout: 15_000 }).toContain('1.0.0');

    const current = await release('1.1.0', { ...waiting, status: 'done' });
    await makeCurrent('1.1.0');
    await old.stop();
    await waker.wake({ ...reference, ...tenant, correlationId: null });
    expect(await client.workflow.getHandle(processWorkflowId(reference)).result()).toBe('done');
    expect(advancedBy.at(-1)).toBe('1.1.0');
    await current.stop();
  });
});

function answering(progress: ProcessProgress, onAdvance: () => void): Activities {
  const nothing = async () => {};
  return {
    async advanceProcess() {
      onAdvance();
      return progress;
    },
    executeCommand: async () => 'succeeded',
    deadLetterCommand: nothing,
    makeCall: nothing,
    cancelProcess: nothing,
    failProcess: nothing,
    submitScheduledCommand: nothing,
  };
}
