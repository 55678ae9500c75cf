import type { Client } from 'pg';
import { PgoutputPlugin } from 'pg-logical-replication';
import type { Pgoutput } from 'pg-logical-replication';

const publication = 'supabase_realtime_messages_publication';

/** A class, because the library takes its output plugins as such. */
export class TemporarySlotPlugin extends PgoutputPlugin {
  constructor() {
    super({ protoVersion: 1, publicationNames: [publication] });
  }

  /**
   * A temporary slot belongs to the connection that streams from it and ends with it, so nobody has to clean up after a crash,
   * and no forgotten slot keeps the WAL. What commits while nobody listens is not streamed later, as in Supabase's Realtime.
   */
  override async start(client: Client, slotName: string, lastLsn: string): Promise<unknown> {
    // In capitals, as the replication protocol's own grammar wants it.
    await client.query(`CREATE_REPLICATION_SLOT "${slotName}" TEMPORARY LOGICAL pgoutput (SNAPSHOT 'nothing')`);
    return super.start(client, slotName, lastLsn);
  }

  /** Every column as the text that PostgreSQL sent: JSON is passed on to the clients unread. */
  override parse(buffer: Buffer): Pgoutput.Message {
    const message = super.parse(buffer);
    if (message.tag === 'relation') {
      for (const column of message.columns) column.parser = (text: string) => text;
    }
    return message;
  }
}
