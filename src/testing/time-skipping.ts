import proto from '@temporalio/proto';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import type { Pool } from 'pg';
import { pino } from 'pino';
import { createProcessStore } from '../adapters/postgres/process-store.ts';
import { sharedQueues } from '../adapters/temporal/task-queues.ts';
import { createWorker } from '../adapters/temporal/workers.ts';
import { loadWorkflowBundle } from '../adapters/temporal/workflow-bundle.ts';
import type { ProcessManager } from '../domain/kernel/process.ts';
import { cacheDirectory } from '../local/cache-directory.ts';
import type { ProcessStore } from '../ports/process-store.ts';
import { createTestActivities } from './fulfilment-engine.ts';
import { installTestRuntime } from './temporal.ts';
import type { connect } from './tenant.ts';

const log = pino({ level: process.env['TEST_LOG_LEVEL'] ?? 'silent' });
const namespace = 'default';
const { INDEXED_VALUE_TYPE_KEYWORD: keyword, INDEXED_VALUE_TYPE_DATETIME: dateTime } = proto.temporal.api.enums.v1.IndexedValueType;

export interface TimeSkippingOptions {
  /** Of the server. */
  readonly executable: string;
  readonly db: ReturnType<typeof connect>;
  /** Of the workers. (Default: that of `db`) */
  readonly workerPool?: Pool;
  readonly processManager: ProcessManager;
  readonly supplierUrl: string;
}

/**
 * Temporal's server that skips time, with Workers of ours on it. Not `startWorkers`: this server lists no workflows. Do not wait for a
 * result with its own client, which skips time until then: a process that waits for nothing but a command would time out after years.
 */
export async function startTimeSkipping({ executable, db, workerPool = db.worker, processManager, supplierUrl }: TimeSkippingOptions) {
  installTestRuntime(log);
  const environment = await TestWorkflowEnvironment.createTimeSkipping({ server: { executable: { type: 'existing-path', path: executable } } });
  const { nativeConnection: connection, address } = environment;
  const skippedMs = async () => (await environment.currentTimeMs()) - Date.now();
  const processStore = withSkippedTime(createProcessStore({ pool: workerPool }), db, skippedMs);
  const activities = createTestActivities({ db: { worker: workerPool }, processManager, supplierUrl, processStore });
  const workflowBundle = await loadWorkflowBundle(cacheDirectory());
  // Not `registerTenantAttribute`: this server does not tell which it has. The other one real servers have of themselves.
  await connection.operatorService.addSearchAttributes({ namespace, searchAttributes: { TenantId: keyword, TemporalScheduledStartTime: dateTime } });
  const workers = await Promise.all(sharedQueues(1).map((queue) => createWorker({ connection, namespace, workflowBundle, activities }, queue)));
  const running = Promise.all(workers.map((worker) => worker.run()));
  return {
    address,
    /** Lets so much time go by at once, with all that is due in it. */
    skip: (ms: number) => environment.sleep(ms),
    async stop() {
      for (const worker of workers) worker.shutdown();
      await running;
      await environment.teardown();
    },
  };
}

/**
 * Which timers are due is up to PostgreSQL, whose clock does not skip. So before each look what it has noted is set back by what has
 * been skipped since: the same to it as if its clock had gone on by so much. What would wake a lost workflow is left, so that it is
 * Temporal's timer that does.
 */
function withSkippedTime(store: ProcessStore, db: ReturnType<typeof connect>, skippedMs: () => Promise<number>): ProcessStore {
  let setBackMs = 0;
  return {
    ...store,
    async load(process) {
      const ms = Math.floor((await skippedMs()) - setBackMs);
      if (ms > 1_000) {
        setBackMs += ms;
        await db.admin.query(
          `update intent.processes as p set next_timer = p.next_timer - $1 * interval '1 millisecond', timers = (
             select jsonb_object_agg(name, intent.timestamp_as_text(due_at::timestamptz - $1 * interval '1 millisecond'))
             from jsonb_each_text(p.timers) as timer (name, due_at)
           )
           where p.next_timer is not null`,
          [ms],
        );
      }
      return store.load(process);
    },
  };
}
