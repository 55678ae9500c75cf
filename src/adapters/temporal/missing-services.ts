import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, isGrpcServiceError } from '@temporalio/client';

/** Kept here, because the SDK tries again for ten seconds whatever its own deadline is; readiness is asked with one of two seconds. */
const deadlineMs = 1_500;

/** `TASK_QUEUE_TYPE_WORKFLOW` of Temporal's API. */
const workflowTasks = 1;

/** gRPC's CANCELLED, DEADLINE_EXCEEDED and UNAVAILABLE, which is what the front says of a host that it does not find. */
const isAway: ReadonlySet<number> = new Set([1, 4, 14]);

/**
 * A cluster's front answers for the namespace while no host behind it hands out tasks or keeps workflows ("Not enough hosts to serve the
 * request"), as for half a minute after a start beside records of hosts that are gone. So both are asked for something small, at
 * random: for a queue of ours, and for a workflow that there is not, whose id leads to any of the shards.
 */
export async function findMissingServices(client: Client, namespace: string, taskQueues: readonly string[]): Promise<readonly string[]> {
  const { workflowService } = client;
  const name = taskQueues[Math.floor(Math.random() * taskQueues.length)]!;
  const queue = { namespace, taskQueue: { name }, taskQueueType: workflowTasks };
  const workflow = { namespace, execution: { workflowId: `intent-readiness-${randomUUID()}` } };
  const [, matching, history] = await Promise.all([
    workflowService.describeNamespace({ namespace }),
    // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- the client does not export the enum
    answersInTime(workflowService.describeTaskQueue(queue)),
    answersInTime(workflowService.describeWorkflowExecution(workflow)),
  ]);
  return [...(matching ? [] : ['matching']), ...(history ? [] : ['history'])];
}

/** Also by a refusal: that there is no such workflow, or that the login may not ask. */
async function answersInTime(answer: Promise<unknown>): Promise<boolean> {
  const answered = answer.then(() => true, (error: unknown) => !(isGrpcServiceError(error) && isAway.has(error.code)));
  return Promise.race([answered, sleep(deadlineMs, false, { ref: false })]);
}
