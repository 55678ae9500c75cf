import { type NativeConnection, Worker, type WorkflowBundleOption } from '@temporalio/worker';
import type { Logger } from '../../ports/logger.ts';
import type { Activities } from './activities.ts';
import { dedicatedCommandQueue, sharedCommandQueues } from './task-queues.ts';

const refreshIntervalMs = 5_000;

export interface WorkersDeps {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly workflowBundle: WorkflowBundleOption;
  readonly activities: Activities;
  readonly sharedQueues: number;
  /** The tenants that have a queue of their own; asked again every few seconds, so that a change needs no restart. */
  listDedicatedTenants(): Promise<readonly string[]>;
  readonly log: Logger;
}

export interface RunningWorkers {
  /** Rejects when a Worker has failed for good. */
  readonly broken: Promise<never>;
  /** Each Worker finishes what it has begun, within its grace time. */
  stop(): Promise<void>;
}

/** Starts a Worker a task queue, all on one connection; resolves when each of them takes tasks. */
export async function startWorkers(deps: WorkersDeps): Promise<RunningWorkers> {
  const { log, sharedQueues, listDedicatedTenants } = deps;
  const shared = sharedCommandQueues(sharedQueues);
  const running = new Map<string, { worker: Worker; done: Promise<void> }>();
  const broken = Promise.withResolvers<never>();

  async function start(taskQueue: string): Promise<void> {
    const worker = await createWorker(deps, taskQueue);
    const done = worker.run();
    done.catch(broken.reject);
    running.set(taskQueue, { worker, done });
    log.info({ taskQueue }, 'Worker started');
  }

  async function end(taskQueue: string): Promise<void> {
    const ending = running.get(taskQueue);
    running.delete(taskQueue);
    ending?.worker.shutdown();
    await ending?.done;
    log.info({ taskQueue }, 'Worker stopped');
  }

  async function refresh(): Promise<void> {
    const wanted = new Set([...shared, ...(await listDedicatedTenants()).map(dedicatedCommandQueue)]);
    const missing = [...wanted].filter((taskQueue) => !running.has(taskQueue));
    const unwanted = [...running.keys()].filter((taskQueue) => !wanted.has(taskQueue));
    await Promise.all([...missing.map(start), ...unwanted.map(end)]);
  }

  await refresh();
  let refreshing = Promise.resolve();
  const timer = setInterval(() => {
    refreshing = refreshing
      .then(refresh)
      .catch((error: unknown) => log.warn({ err: error }, 'The dedicated tenants could not be served anew; trying again'));
  }, refreshIntervalMs);

  return {
    broken: broken.promise,
    async stop() {
      clearInterval(timer);
      await refreshing;
      await Promise.all([...running.keys()].map(end));
    },
  };
}

function createWorker({ connection, namespace, workflowBundle, activities }: WorkersDeps, taskQueue: string): Promise<Worker> {
  return Worker.create({
    connection,
    namespace,
    taskQueue,
    workflowBundle,
    activities,
    maxCachedWorkflows: 200,
    // Its default of 0 would cancel what is in hand.
    shutdownGraceTime: '10 seconds',
    shutdownForceTime: '15 seconds',
  });
}
