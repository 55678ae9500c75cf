import { appendOneEvent, createTenants, insertOneRowUnderLock } from './append-calls.ts';
import { startBenchServer } from './database.ts';
import { describeRates, measureRounds, ratios } from './rounds.ts';
import { toRow, type Row } from './row.ts';

/** All connections on one tenant: appends against raw inserts that take the same lock until their commit. */
export async function hotTenant({ scale }: { scale: number }): Promise<Row[]> {
  const server = await startBenchServer();
  try {
    const of = await createTenants(await server.createDatabase('hot'), 1);
    const { raw, append } = await measureRounds(
      { raw: insertOneRowUnderLock(of), append: appendOneEvent(of) },
      { connections: 32, scale },
    );
    return [toRow({
      benchmark: 'hot-tenant',
      measured: 'one event, 32 connections, 1 tenant : raw INSERT under the same lock',
      values: ratios(append, raw),
      goal: { atLeast: 0.6 },
      figures: describeRates(append, raw),
    })];
  } finally {
    await server.stop();
  }
}
