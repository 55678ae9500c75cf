import type { Pool } from 'pg';
import type { QueueFigures, ReadQueueFigures } from '../../ports/queue-figures.ts';
import { translatingErrors } from './errors.ts';

/** The pool is connected as `intent_pump`. */
export function createReadQueueFigures(pool: Pool): ReadQueueFigures {
  return async () =>
    translatingErrors(async () => {
      const { rows } = await pool.query<{ figures: QueueFigures }>('select intent.queue_figures() as figures');
      if (rows[0] === undefined) throw new Error('queue_figures answered without a row.');
      return rows[0].figures;
    });
}
