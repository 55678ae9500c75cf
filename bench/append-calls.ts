import { randomInt, randomUUID } from 'node:crypto';
import type { BenchDatabase } from './database.ts';
import type { Variant } from './rounds.ts';

const payload = { text: 'x'.repeat(100), number: 1 };
export const oneEvent = JSON.stringify([{ type: 'NoteTaken', schemaVersion: 1, payload }]);
const payloadText = JSON.stringify(payload);

export interface Tenants {
  readonly database: BenchDatabase;
  /** Their ids. */
  readonly tenants: readonly string[];
}

export async function createTenants(database: BenchDatabase, count: number): Promise<Tenants> {
  const { rows } = await database.admin.query<{ id: string }>('select id from bench.create_tenants($1) as id', [count]);
  return { database, tenants: rows.map(({ id }) => id) };
}

export function pick<T>(from: readonly T[]): T {
  return from[randomInt(from.length)]!;
}

/** `append_events` with one event for a new stream, of no command, as the worker calls it. */
export function appendOneEvent({ database, tenants }: Tenants): Variant {
  return {
    url: database.urlFor('intent_worker'),
    statement: 'select * from intent.append_events($1, $2, $3, $4, $5)',
    values: () => [pick(tenants), 'note', randomUUID(), '0', oneEvent],
  };
}

const columns = '(tenant_id, position, aggregate_type, aggregate_id, version, type, schema_version, payload, metadata)';

/** The row that `appendOneEvent` leaves, by a plain INSERT into a table with the same indexes. The client numbers the positions. */
export function insertOneRow({ database, tenants }: Tenants): Variant {
  const nextPosition = countPositions();
  return {
    url: database.adminUrl,
    statement: `insert into bench.raw_events ${columns} values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    values() {
      const tenant = pick(tenants);
      return [tenant, nextPosition(tenant), 'note', randomUUID(), '1', 'NoteTaken', '1', payloadText, '{}'];
    },
  };
}

/** `insertOneRow` under the lock that `append_events` takes, until the commit. */
export function insertOneRowUnderLock(of: Tenants): Variant {
  return {
    ...insertOneRow(of),
    statement: `insert into bench.raw_events ${columns} select $1, $2, $3, $4, $5, $6, $7, $8, $9
      from pg_advisory_xact_lock(hashtextextended($1::uuid::text, 0))`,
  };
}

export function countPositions(): (tenant: string) => string {
  const positions = new Map<string, number>();
  return (tenant) => {
    const position = (positions.get(tenant) ?? 0) + 1;
    positions.set(tenant, position);
    return String(position);
  };
}
