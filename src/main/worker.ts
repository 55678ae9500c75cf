import { once } from 'node:events';
import { createInlineDispatcher, inlineBatches } from '../adapters/inline/dispatcher.ts';
import { listDedicatedTenants } from '../adapters/postgres/dedicated-tenants.ts';
import { createHintFault } from '../adapters/postgres/hint-fault.ts';
import { systemClock } from '../adapters/system/clock.ts';
import { createActivities } from '../adapters/temporal/activities.ts';
import { whileConnected } from '../adapters/temporal/connection-watch.ts';
import { connectToTemporal, installTemporalRuntime } from '../adapters/temporal/connection.ts';
import { createTemporalEngine } from '../adapters/temporal/engine.ts';
import { syncSchedules } from '../adapters/temporal/schedules-sync.ts';
import { startWorkers } from '../adapters/temporal/workers.ts';
import { loadWorkflowBundle } from '../adapters/temporal/workflow-bundle.ts';
import { cacheDirectory } from '../local/cache-directory.ts';
import { createCommandRouter } from '../application/route-commands.ts';
import { loadWorkerConfig, type WorkerConfig } from './config.ts';
import { createHandler } from './create-handler.ts';
import { createDatabaseProbe } from './database-probe.ts';
import { neverYet } from './readiness.ts';
import { retry } from './retry.ts';
import { type ProcessContext, runProcess } from './run-process.ts';
import { runPump } from './run-pump.ts';
import { createTemporalProbe } from './temporal-probe.ts';

// The worker executes commands. With INTENT_PUMP=embedded it moves them out of the queue as well: workflows start eagerly, and types
// with `execution: 'inline'` are executed where they are claimed (a pump of its own cannot: it leaves them to Temporal, as the others).
// With INTENT_ENGINE=inline the worker executes whatever it claims, without Temporal.
await runProcess('worker', loadWorkerConfig, async (context) => {
  const { config, log, telemetry, need, ask, noteWaiting } = context;
  const handler = createHandler(config.DATABASE_URL, log, telemetry, { supplierUrl: config.SUPPLIER_URL, noteWaiting });
  need('PostgreSQL for the worker', createDatabaseProbe(handler.pool, 'intent_worker'));
  ask('hints', createHintFault(handler.pool));
  try {
    await (config.INTENT_ENGINE === 'inline' ? runInline(context, handler) : runOnTemporal(context, handler));
  } finally {
    await handler.close();
  }
});

type Handler = ReturnType<typeof createHandler>;

async function runInline(context: ProcessContext<WorkerConfig>, handler: Handler): Promise<void> {
  const { config, log, ready } = context;
  const dispatcher = createInlineDispatcher({ ...handler, log });
  const waiting = ['process managers: the inline engine has no Temporal', 'schedules: the inline engine has no Temporal'];
  await runPump({ ...context, connectionString: pumpUrl(config), dispatcher, batches: inlineBatches, ready: () => ready(waiting) });
}

async function runOnTemporal(context: ProcessContext<WorkerConfig>, handler: Handler): Promise<void> {
  const { config, log, telemetry, signal, need, ready } = context;
  installTemporalRuntime(log);
  const workflowBundle = await loadWorkflowBundle(cacheDirectory());
  need('Temporal', neverYet);
  const temporal = await retry(connectToTemporal, { log, signal, waitingFor: 'Temporal; commands wait' });
  if (temporal === undefined) return;
  need('Temporal', createTemporalProbe(temporal, config.INTENT_TASK_QUEUES));
  const { connection, namespace, client } = temporal;
  const sharedQueues = config.INTENT_TASK_QUEUES;

  const workers = await startWorkers({
    connection,
    client,
    namespace,
    workflowBundle,
    activities: createActivities({ ...handler, log }),
    sharedQueues,
    async listDedicatedTenants() {
      const tenantIds = await listDedicatedTenants(handler.pool);
      for (const tenantId of tenantIds) telemetry.tenantClasses.note(tenantId, 'dedicated');
      return tenantIds;
    },
    log,
    ...(config.WORKER_BUILD_ID !== undefined && { buildId: config.WORKER_BUILD_ID }),
  });
  const engine = createTemporalEngine({ client, sharedQueues, eager: true });
  const dispatcher = createCommandRouter({ temporal: engine.dispatcher, inline: createInlineDispatcher({ ...handler, log }) });
  const working = whileConnected(temporal, signal, (whileUsable) =>
    config.INTENT_PUMP === 'embedded'
      ? runPump({ ...context, ...engine, connectionString: pumpUrl(config), dispatcher, signal: whileUsable })
      : untilAborted(whileUsable, ready),
  );
  const schedules = syncSchedules({ client, sharedQueues, store: handler.schedules, clock: systemClock, log }, signal);
  await Promise.race([workers.broken, Promise.all([working, schedules])]);
  // After the pump has stopped: what it starts at the last moment still finds a Worker.
  await workers.stop();
  await connection.close();
}

async function untilAborted(signal: AbortSignal, ready: () => void): Promise<void> {
  ready();
  if (!signal.aborted) await once(signal, 'abort');
}

function pumpUrl({ PUMP_DATABASE_URL }: WorkerConfig): string {
  if (PUMP_DATABASE_URL === undefined) throw new Error('PUMP_DATABASE_URL is checked by loadWorkerConfig');
  return PUMP_DATABASE_URL;
}
