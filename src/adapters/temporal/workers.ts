import type { Client } from '@temporalio/client';
import { type NativeConnection, Worker, type WorkflowBundleOption } from '@temporalio/worker';
import type { Logger } from '../../ports/logger.ts';
import type { Activities } from './activities.ts';
import { leaveOldQueues } from './left-queues.ts';
import { dedicatedQueues, sharedQueues } from './task-queues.ts';
import { registerTenantAttribute } from './tenant-attribute.ts';

const refreshIntervalMs = 5_000;

export interface WorkersDeps {
  readonly connection: NativeConnection;
  readonly client: Client;
  readonly namespace: string;
  readonly workflowBundle: WorkflowBundleOption;
  readonly activities: Activities;
  /** How many shared task queues of a kind the tenants are spread over. */
  readonly sharedQueues: number;
  /** The tenants that have queues of their own; asked again every few seconds, so that a change needs no restart. */
  listDedicatedTenants(): Promise<readonly string[]>;
  readonly log: Logger;
  /** Of this release, for Temporal's worker versioning. (Default: not versioned) */
  readonly buildId?: string;
  /** (Default: 5,000) */
  readonly refreshIntervalMs?: number;
}

export interface RunningWorkers {
  /** Rejects when a Worker has failed for good. */
  readonly broken: Promise<never>;
  /** Each Worker finishes what it has begun, within its grace time. */
  stop(): Promise<void>;
}

/** Starts a Worker a task queue, all on one connection; resolves when each of them takes tasks. */
export async function startWorkers(deps: WorkersDeps): Promise<RunningWorkers> {
  const { client, connection, namespace, log } = deps;
  const shared = sharedQueues(deps.sharedQueues);
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
    const dedicated = await deps.listDedicatedTenants();
    const left = await leaveOldQueues(client, dedicated, deps.sharedQueues);
    const wanted = new Set([...shared, ...dedicated.flatMap(dedicatedQueues), ...left]);
    const missing = [...wanted].filter((taskQueue) => !running.has(taskQueue));
    const unwanted = [...running.keys()].filter((taskQueue) => !wanted.has(taskQueue));
    await Promise.all([...missing.map(start), ...unwanted.map(end)]);
  }

  await registerTenantAttribute(connection, namespace, log);
  await refresh();
  let refreshing = Promise.resolve();
  const timer = setInterval(() => {
    refreshing = refreshing
      .then(refresh)
      .catch((error: unknown) => log.warn({ err: error }, 'The dedicated tenants could not be served anew; trying again'));
  }, deps.refreshIntervalMs ?? refreshIntervalMs);

  return {
    broken: broken.promise,
    async stop() {
      clearInterval(timer);
      await refreshing;
      await Promise.all([...running.keys()].map(end));
    },
  };
}

/** All that a Worker is made of. */
type WorkerParts = Pick<WorkersDeps, 'connection' | 'namespace' | 'workflowBundle' | 'buildId'> & { readonly activities: object };

export function createWorker({ connection, namespace, workflowBundle, activities, buildId }: WorkerParts, taskQueue: string): Promise<Worker> {
  return Worker.create({
    connection,
    namespace,
    taskQueue,
    workflowBundle,
    activities,
    // Runs the workflows in this thread. Otherwise each Worker has a thread of its own, of some 50 MB instead of 10; what it would guard
    // against is a workflow that computes for seconds, and ours compute nothing.
    debugMode: true,
    maxCachedWorkflows: 40,
    // As many polls as the server says that it has work for. Otherwise only two of ten ask for workflows that have just been started.
    workflowTaskPollerBehavior: { type: 'autoscaling' },
    // So long a workflow waits for a Worker that has died, before another takes it over.
    stickyQueueScheduleToStartTimeout: '3 seconds',
    // So that a call's heartbeats, which tell that its worker is alive, leave room for two that are late.
    maxHeartbeatThrottleInterval: '1 second',
    // Its default of 0 would cancel what is in hand.
    shutdownGraceTime: '10 seconds',
    shutdownForceTime: '15 seconds',
    ...(buildId !== undefined && { workerDeploymentOptions: versioned(buildId) }),
  });
}

/** A workflow goes on with the newest release: the recorded histories prove that each can replay what the others have begun. */
function versioned(buildId: string) {
  return {
    version: { deploymentName: 'intent', buildId },
    useWorkerVersioning: true,
    defaultVersioningBehavior: 'AUTO_UPGRADE',
  } as const;
}
