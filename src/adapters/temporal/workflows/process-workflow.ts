import {
  ApplicationFailure,
  CancellationScope,
  condition,
  defineQuery,
  defineSignal,
  makeContinueAsNewFunc,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { ProcessProgress } from '../../../application/advance-process.ts';
import type { ProcessReference } from '../../../ports/process-store.ts';
import type { Activities } from '../activities.ts';
import { rootOf } from './root-of.ts';

/** There is something to do, and this is the task queue that the tenant has now. */
export const wakeSignal = defineSignal<[taskQueue: string]>('wake');

export interface ProcessView {
  readonly status: ProcessProgress['status'];
  readonly openCalls: readonly { readonly callId: string; readonly name: string }[];
  /** ISO 8601; null if no timer is set. */
  readonly nextTimerAt: string | null;
}
export const progressQuery = defineQuery<ProcessView>('progress');

// PostgreSQL may be away for long: a step waits it out. From ten seconds on a pause is a timer of the server, so that it costs little.
const { advanceProcess, cancelProcess } = proxyLocalActivities<Activities>({
  startToCloseTimeout: '20 seconds',
  localRetryThreshold: '10 seconds',
  retry: { initialInterval: '100 milliseconds', backoffCoefficient: 2, maximumInterval: '1 minute' },
});

const { failProcess } = proxyActivities<Activities>({
  startToCloseTimeout: '20 seconds',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '1 minute' },
});

// How often a call is attempted is up to the activity. The heartbeat tells soon that a worker has died in the midst of one.
const { makeCall } = proxyActivities<Activities>({
  startToCloseTimeout: '1 minute',
  heartbeatTimeout: '4 seconds',
  retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumInterval: '30 seconds' },
});

/**
 * One instance of a process manager: its time. What it is and does stands in PostgreSQL, which tells after each step what there is
 * to wait for. So this may be lost at any moment and started again: nothing is.
 */
export async function processWorkflow(process: ProcessReference): Promise<'done'> {
  const { taskQueue } = workflowInfo();
  let currentQueue = taskQueue;
  let isWoken = false;
  let isCancelled = false;
  let view: ProcessView = { status: 'open', openCalls: [], nextTimerAt: null };
  const underWay = new Set<string>();

  setHandler(wakeSignal, (tenantQueue) => {
    currentQueue = tenantQueue;
    isWoken = true;
  });
  setHandler(progressQuery, () => view);
  CancellationScope.current().cancelRequested.catch(() => {
    isCancelled = true;
  });

  function startCall(callId: string): void {
    underWay.add(callId);
    void makeCall(process, callId).finally(() => {
      underWay.delete(callId);
      isWoken = true;
    });
  }

  /** A request to cancel is a reaction like any other: the process manager undoes what it has done, and comes to its end. */
  async function tellCancellation(): Promise<void> {
    isCancelled = false;
    await cancelProcess(process);
  }

  async function run(): Promise<'done' | 'continue'> {
    for (;;) {
      isWoken = false;
      if (isCancelled) await tellCancellation();
      const { status, nextTimerInMs, calls, more } = await advance(process);
      view = { status, openCalls: calls, nextTimerAt: nextTimerInMs === null ? null : new Date(Date.now() + nextTimerInMs).toISOString() };
      for (const { callId } of calls) if (!underWay.has(callId)) startCall(callId);
      if (more || isWoken || isCancelled) continue;

      if (status === 'done') return 'done';
      if (underWay.size === 0 && (currentQueue !== taskQueue || workflowInfo().continueAsNewSuggested)) return 'continue';
      await sleepUntil(() => isWoken || isCancelled, nextTimerInMs);
    }
  }

  const end = await CancellationScope.nonCancellable(run);
  if (end === 'continue') await makeContinueAsNewFunc<typeof processWorkflow>({ taskQueue: currentQueue })(process);
  return 'done';
}

async function advance(process: ProcessReference): Promise<ProcessProgress> {
  let progress: ProcessProgress;
  try {
    progress = await advanceProcess(process);
  } catch (error) {
    const { name, message } = rootOf(error);
    await failProcess(process, { name, message });
    throw ApplicationFailure.nonRetryable(message, name);
  }
  if (progress.status === 'failed') throw ApplicationFailure.nonRetryable('The process has failed; an operator may retry it', 'ProcessFailed');
  return progress;
}

async function sleepUntil(isOver: () => boolean, ms: number | null): Promise<void> {
  await (ms === null ? condition(isOver) : condition(isOver, Math.max(ms, 1)));
}
