import { ApplicationFailure, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { ScheduleReference } from '../../../ports/schedules.ts';
import type { Activities } from '../activities.ts';

/** Set by the server on what a Schedule starts: when it was due, however late it runs. */
const dueAtKey = { name: 'TemporalScheduledStartTime', type: 'DATETIME' } as const;

// The occasion is not lost while the database is away, or the tenant over its rate.
const { submitScheduledCommand } = proxyActivities<Activities>({
  startToCloseTimeout: '20 seconds',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '1 minute' },
});

/** One occasion of a schedule: puts its command into the queue, from where it goes the way of every other. */
export async function scheduledCommandWorkflow(schedule: ScheduleReference): Promise<void> {
  const dueAt = workflowInfo().typedSearchAttributes.get(dueAtKey);
  if (dueAt === undefined) throw ApplicationFailure.nonRetryable('Only a Schedule may start this workflow: it tells the occasion.');
  await submitScheduledCommand(schedule, dueAt.toISOString());
}
