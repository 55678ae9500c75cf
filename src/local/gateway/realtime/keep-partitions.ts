import type { Pool } from 'pg';

const intervalMs = 3_600_000;

/**
 * Keeps the daily partitions of realtime.messages, now and every hour. Throws if the first time fails; returns how to stop.
 */
export async function keepPartitions(pool: Pool, log: (line: string) => void): Promise<() => void> {
  const keep = () => pool.query('select realtime.keep_message_partitions()');
  await keep();
  const timer = setInterval(() => {
    keep().catch((error: Error) => log(`realtime: could not keep the partitions, tries again in an hour: ${error.message}`));
  }, intervalMs).unref();
  return () => clearInterval(timer);
}
