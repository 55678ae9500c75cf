import type { Pool } from 'pg';
import type { HintAnnouncer } from '../../ports/hint-announcer.ts';
import { translatingErrors } from './errors.ts';

/** The pool is connected as `intent_pump`. */
export function createHintAnnouncer(pool: Pool): HintAnnouncer {
  return {
    async announce() {
      return translatingErrors(async () => {
        const { rows } = await pool.query<{ hints: number; events: string }>('select * from intent.announce_withheld_hints()');
        return { hints: rows[0]?.hints ?? 0, events: Number(rows[0]?.events ?? 0) };
      });
    },
  };
}
