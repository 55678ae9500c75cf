import type { Pool } from 'pg';
import { z } from 'zod';
import type { Broadcast } from './hub.ts';

/** Supabase's. */
const mostReplayed = 25;

/** Of a join. `since`: milliseconds since 1970. */
export const replaySchema = z.object({ since: z.number().int().min(-62_135_596_800_000).max(253_402_300_799_999), limit: z.number().int().nullish() });

/** The last broadcasts of a topic, the oldest first; those of one transaction come the wrong way round, as on Supabase. */
export type Replay = (topic: string, request: z.infer<typeof replaySchema>) => Promise<readonly Broadcast[]>;

export function createReplay(pool: Pool): Replay {
  return async (topic, { since, limit }) => {
    const { rows } = await pool.query<Broadcast>(
      `select id, topic, event, payload::text as payload from realtime.messages
       where topic = $1 and private and extension = 'broadcast' and event is not null and payload is not null
         and inserted_at >= to_timestamp($2::double precision / 1000) at time zone current_setting('TimeZone')
         and inserted_at < now() + interval '1 minute'
       order by inserted_at desc limit $3`,
      [topic, since, Math.min(Math.max(limit ?? mostReplayed, 1), mostReplayed)],
    );
    return rows.toReversed();
  };
}
