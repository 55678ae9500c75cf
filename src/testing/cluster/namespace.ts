import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { pino } from 'pino';
import { temporalSettings } from '../../adapters/temporal/connection.ts';
import { registerTenantAttribute } from '../../adapters/temporal/tenant-attribute.ts';

const retentionSeconds = 86_400;
const pollMs = 100;
/** Each frontend reads the list of namespaces anew every ten seconds at most. */
const timeoutMs = 60_000;

/** Makes a namespace, as the first worker needs it and a pump without one, and resolves when the cluster serves it. `environment`: TEMPORAL_ADDRESS and its like. */
export async function makeNamespace(environment: Record<string, string>, namespace: string): Promise<void> {
  const connection = await connected(environment);
  try {
    const { workflowService } = connection;
    const isThere = await workflowService.describeNamespace({ namespace }).then(() => true, () => false);
    if (!isThere) await workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: { seconds: retentionSeconds as never } });
    const { workflow } = new Client({ connection, namespace });
    await retried(() => workflow.count());
    await registerTenantAttribute(connection, namespace, pino({ level: 'warn' }));
    await retried(() => workflow.count(`TenantId = 'nobody'`));
  } finally {
    await connection.close();
  }
}

function connected(environment: Record<string, string>): Promise<Connection> {
  const { connection } = temporalSettings(environment);
  return retried(() => Connection.connect(connection));
}

async function retried<Value>(attempt: () => Promise<Value>): Promise<Value> {
  const endsAt = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > endsAt) throw error;
      await sleep(pollMs);
    }
  }
}
