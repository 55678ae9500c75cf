import {
  type Client,
  isGrpcServiceError,
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  type ScheduleOptions,
  type ScheduleOptionsStartWorkflowAction,
  ServiceError,
} from '@temporalio/client';
import type { Schedule, ScheduleReference } from '../../ports/schedules.ts';
import { queueFor } from './task-queues.ts';
import { ofTenant } from './workflow-starts.ts';
import type { scheduledCommandWorkflow } from './workflows/index.ts';

/** An occasion that was missed because Temporal was away is made up for; an outage over a weekend loses none. */
const catchupWindow = '3 days';
const invalidArgument: number = 3;
/** A server that does not answer by then is as good as one that is away. */
const deadlineMs = 10_000;

/** Temporal takes no such schedule: repeating it is no use. */
export class ScheduleRefused extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ScheduleRefused';
  }
}

export function temporalScheduleId({ tenantId, scheduleId }: ScheduleReference): string {
  return `${tenantId}/schedule/${scheduleId}`;
}

const ours = /^[\da-f-]{36}\/schedule\/[\da-z-]+$/;

/** All of a schedule that Temporal is to know, in words. It stands as the note of the Schedule, for people and for comparison. */
export function describeSchedule(schedule: Schedule, sharedQueues: number): string {
  const { cron, timeZone, fairnessWeight, pausedBecause } = schedule;
  const state = pausedBecause === null ? '' : `; paused: ${pausedBecause}`;
  return `${cron} ${timeZone}, on ${queueFor('commands', schedule, sharedQueues)} with weight ${fairnessWeight}${state}`;
}

export interface TemporalSchedulesDeps {
  readonly client: Client;
  /** How many shared task queues of a kind the tenants are spread over. */
  readonly sharedQueues: number;
}

/** Our Schedules on the server. Each call may be repeated, and may race with that of another worker. */
export function createTemporalSchedules({ client, sharedQueues }: TemporalSchedulesDeps) {
  const schedules = client.schedule;
  const inTime = <Value>(call: () => Promise<Value>) => client.withDeadline(Date.now() + deadlineMs, call);

  async function create(options: ReturnType<typeof optionsFor>): Promise<void> {
    try {
      await schedules.create(options);
    } catch (error) {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
      await schedules.getHandle(options.scheduleId).update(() => options);
    }
  }

  return {
    /** The notes, by id. The server's list may lag behind by a moment. */
    async list(): Promise<Map<string, string>> {
      const notes = new Map<string, string>();
      await inTime(async () => {
        for await (const { scheduleId, state } of schedules.list()) if (ours.test(scheduleId)) notes.set(scheduleId, state.note ?? '');
      });
      return notes;
    },

    /** Creates it, or changes it into this. Throws `ScheduleRefused`. */
    async put(schedule: Schedule): Promise<void> {
      const options = optionsFor(schedule, sharedQueues);
      try {
        await inTime(() => create(options));
      } catch (error) {
        throw asRefusal(error) ?? error;
      }
    },

    /** One that is not there need not be paused. */
    async pause(schedule: Schedule): Promise<void> {
      const handle = schedules.getHandle(temporalScheduleId(schedule));
      await inTime(() => handle.pause(describeSchedule(schedule, sharedQueues))).catch(ignoreMissing);
    },

    async remove(id: string): Promise<void> {
      await inTime(() => schedules.getHandle(id).delete()).catch(ignoreMissing);
    },
  };
}

function optionsFor(schedule: Schedule, sharedQueues: number) {
  const { tenantId, scheduleId, cron, timeZone } = schedule;
  const start = ofTenant(schedule);
  return {
    scheduleId: temporalScheduleId(schedule),
    spec: { cronExpressions: [cron], timezone: timeZone },
    action: {
      type: 'startWorkflow',
      workflowType: 'scheduledCommandWorkflow',
      // The server adds the time.
      workflowId: temporalScheduleId(schedule),
      taskQueue: queueFor('commands', schedule, sharedQueues),
      args: [{ tenantId, scheduleId }],
      ...start,
    },
    // While the database is away occasions queue up, and then go on in their order.
    policies: { overlap: 'BUFFER_ALL', catchupWindow },
    typedSearchAttributes: start.typedSearchAttributes,
    state: { paused: false, note: describeSchedule(schedule, sharedQueues) },
  } satisfies ScheduleOptions<ScheduleOptionsStartWorkflowAction<typeof scheduledCommandWorkflow>>;
}

/** The client gives a bad cron expression a TypeError, and anything else that the server calls invalid its own error. */
function asRefusal(error: unknown): ScheduleRefused | undefined {
  if (error instanceof TypeError) return new ScheduleRefused(error.message, { cause: error });
  if (!(error instanceof ServiceError) || !isGrpcServiceError(error.cause) || error.cause.code !== invalidArgument) return undefined;
  return new ScheduleRefused(error.cause.message, { cause: error });
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof ScheduleNotFoundError)) throw error;
}
