import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { StackError } from './stack-error.ts';

const pauseMs = 500;
/** Longer than any migration of ours takes. */
const longestWaitMs = 10 * 60_000;

/**
 * Resolves when no other migration of this database is under way, and keeps the next ones from it until the client's connection ends: by a
 * lock of the session, so that one that was killed holds up nobody. Asked again and again: a session that waited inside the server would hold a
 * snapshot, for which an index that is built concurrently waits. Throws `StackError` after ten minutes.
 */
export async function waitForOtherMigration(client: Client, log: (line: string) => void): Promise<void> {
  // The lock is the session's, which is idle while graphile-migrate works.
  await client.query('set idle_session_timeout = 0');
  const begunAt = performance.now();
  for (let tries = 1; !(await isTaken(client)); tries += 1) {
    if (tries === 1) log('Another migration of this database is under way: waiting for it to end (Ctrl-C gives up).');
    if (performance.now() - begunAt > longestWaitMs) {
      throw new StackError(
        'Another migration of this database is still under way after ten minutes.',
        "Look at what it does in pg_stat_activity; its lock is in pg_locks, with locktype 'advisory'.",
      );
    }
    await sleep(pauseMs);
  }
}

async function isTaken(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ taken: boolean }>(`select pg_try_advisory_lock(hashtextextended('intent.migrate', 0)) as taken`);
  return rows[0]?.taken === true;
}
