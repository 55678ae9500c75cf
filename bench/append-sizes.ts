import { appendEvents, createTenants, eventsOf, insertRows } from './append-calls.ts';
import { startBenchServer } from './database.ts';
import { describeRates, measureRounds, ratios } from './rounds.ts';
import { toRow, type Row } from './row.ts';

const tenantCount = 64;
const connections = 2;
const small = { text: 'x'.repeat(100), number: 1 };
const large = { text: 'x'.repeat(2_000), number: 1 };
const sizes = [
  { count: 1, of: small, named: '1 event' },
  { count: 10, of: small, named: '10 events' },
  { count: 100, of: small, named: '100 events' },
  { count: 1_000, of: small, named: '1000 events' },
  { count: 1_000, of: large, named: '1000 events of 2 kB' },
] as const;

/** One append of few and of many events against one raw INSERT of the same rows: its cost must grow no faster than its events. */
export async function appendSizes({ scale }: { scale: number }): Promise<Row[]> {
  const server = await startBenchServer();
  try {
    const rows: Row[] = [];
    for (const [n, { count, of: payload, named }] of sizes.entries()) {
      const database = await server.createDatabase(`sizes_${n}`);
      const tenants = await createTenants(database, tenantCount);
      const variants = { raw: insertRows(tenants, count, payload), append: appendEvents(tenants, eventsOf(count, payload)) };
      const { raw, append } = await measureRounds(variants, { connections, scale });
      rows.push(toRow({
        benchmark: 'append-sizes',
        measured: `${named} in one append : one raw INSERT`,
        values: ratios(append, raw),
        figures: describeRates(append, raw),
      }));
    }
    return rows;
  } finally {
    await server.stop();
  }
}
