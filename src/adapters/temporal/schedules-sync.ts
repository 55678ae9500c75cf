import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Schedule, ScheduleStore } from '../../ports/schedules.ts';
import { createTemporalSchedules, describeSchedule, ScheduleRefused, temporalScheduleId, type TemporalSchedulesDeps } from './schedules.ts';

export interface SyncSchedulesDeps extends TemporalSchedulesDeps {
  readonly store: ScheduleStore;
  readonly clock: Clock;
  readonly log: Logger;
  /** Between two looks at the store. (Default: 5,000) */
  readonly intervalMs?: number;
}

/** Every so many looks the server is asked as well: it may have lost its Schedules, or somebody may have changed one by hand. */
const looksPerFullLook = 60;
const concurrency = 16;

/**
 * Keeps one Temporal Schedule for each schedule of the store, until the signal aborts. Every worker does so: what one does wrongly,
 * because it has read a moment too early, it sees and mends itself at its next look. Either side may be away; it is waited for.
 */
export async function syncSchedules(deps: SyncSchedulesDeps, signal: AbortSignal): Promise<void> {
  const { clock, log, intervalMs = 5_000 } = deps;
  const server = createTemporalSchedules(deps);
  /** What the server has, as far as we know: notes by id. */
  let known: Map<string, string> | undefined;
  for (let looks = 0; !signal.aborted; looks += 1) {
    try {
      if (known === undefined || looks % looksPerFullLook === 0) known = await server.list();
      await syncOnce(deps, server, known, signal);
    } catch (error) {
      log.warn({ err: error }, 'The schedules could not be brought in step; trying again');
    }
    await clock.sleep(intervalMs, signal);
  }
}

async function syncOnce(
  { store, log, sharedQueues }: SyncSchedulesDeps,
  server: ReturnType<typeof createTemporalSchedules>,
  known: Map<string, string>,
  signal: AbortSignal,
): Promise<void> {
  const wanted = new Map((await store.list()).map((schedule) => [temporalScheduleId(schedule), schedule]));
  const gone = [...known.keys()].filter((id) => !wanted.has(id));
  const changed = [...wanted].filter(([id, schedule]) => known.get(id) !== describeSchedule(schedule, sharedQueues));

  async function remove(id: string): Promise<void> {
    await server.remove(id);
    known.delete(id);
    log.info({ schedule: id }, 'A schedule has ended');
  }

  async function bring(id: string, schedule: Schedule): Promise<void> {
    try {
      await (schedule.pausedBecause === null ? server.put(schedule) : server.pause(schedule));
      known.set(id, describeSchedule(schedule, sharedQueues));
      log.info({ schedule: id, pausedBecause: schedule.pausedBecause }, 'A schedule is in step');
    } catch (error) {
      if (!(error instanceof ScheduleRefused)) throw error;
      log.warn({ schedule: id, err: error }, 'Temporal refuses a schedule: it is paused');
      await store.pause(schedule, error.message);
    }
  }

  const waiting = [...gone.map((id) => () => remove(id)), ...changed.map(([id, schedule]) => () => bring(id, schedule))];
  const failures: unknown[] = [];
  async function work(): Promise<void> {
    for (let next = waiting.shift(); next !== undefined && !signal.aborted; next = waiting.shift()) await next().catch((error: unknown) => failures.push(error));
  }
  await Promise.all(Array.from({ length: concurrency }, work));
  if (failures.length > 0) throw new AggregateError(failures, `${failures.length} schedules are not in step`);
}
