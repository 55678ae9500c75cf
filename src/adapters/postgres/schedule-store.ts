import type { Pool } from 'pg';
import { StoreUnavailable } from '../../ports/errors.ts';
import type { Schedule, ScheduleReference, ScheduleStore } from '../../ports/schedules.ts';
import { translatingErrors } from './errors.ts';

interface ScheduleRow {
  readonly tenant_id: string;
  readonly schedule_id: string;
  readonly cron: string;
  readonly time_zone: string;
  readonly paused_because: string | null;
  readonly isolation: Schedule['isolation'];
  readonly fairness_weight: number;
}

/** The pool is connected as `intent_worker`. */
export function createScheduleStore({ pool }: { readonly pool: Pool }): ScheduleStore {
  const pause: ScheduleStore['pause'] = async ({ tenantId, scheduleId }, because) => {
    await translatingErrors(() => pool.query('select intent.pause_schedule($1, $2, $3)', [tenantId, scheduleId, because]));
  };

  /** What a refused submission comes to. */
  async function settleRefusal(schedule: ScheduleReference, error: unknown): Promise<void> {
    const { code, message } = error as { code?: string; message: string };
    switch (code) {
      case 'IN422':
        return pause(schedule, message);
      case 'IN429':
        throw new StoreUnavailable(message, { cause: error });
      default:
        throw error;
    }
  }

  return {
    async list() {
      return translatingErrors(async () => {
        const { rows } = await pool.query<ScheduleRow>('select * from intent.list_schedules()');
        return rows.map((row) => ({
          tenantId: row.tenant_id,
          scheduleId: row.schedule_id,
          cron: row.cron,
          timeZone: row.time_zone,
          pausedBecause: row.paused_because,
          isolation: row.isolation,
          fairnessWeight: row.fairness_weight,
        }));
      });
    },

    pause,

    async submit(schedule, occasion) {
      const { tenantId, scheduleId } = schedule;
      try {
        await translatingErrors(() => pool.query('select intent.submit_scheduled_command($1, $2, $3)', [tenantId, scheduleId, occasion]));
      } catch (error) {
        await settleRefusal(schedule, error);
      }
    },
  };
}
