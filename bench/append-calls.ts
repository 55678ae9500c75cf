import { randomInt, randomUUID } from 'node:crypto';
import type { BenchDatabase } from './database.ts';
import type { Variant } from './rounds.ts';

const payload = { text: 'x'.repeat(100), number: 1 };
const payloadText = JSON.stringify(payload);
export const oneEvent = eventsOf(1, payload);

export interface Tenants {
  readonly database: BenchDatabase;
  /** Their ids. */
  readonly tenants: readonly string[];
}

export async function createTenants(database: BenchDatabase, count: number): Promise<Tenants> {
  const { rows } = await database.admin.query<{ id: string }>('select id from bench.create_tenants($1) as id', [count]);
  return { database, tenants: rows.map(({ id }) => id) };
}

export function eventsOf(count: number, each: object): string {
  return JSON.stringify(Array.from({ length: count }, () => ({ type: 'NoteTaken', schemaVersion: 1, payload: each })));
}

export function pick<T>(from: readonly T[]): T {
  return from[randomInt(from.length)]!;
}

/** `append_events` with one event for a new stream, of no command, as the worker calls it. */
export function appendOneEvent(of: Tenants): Variant {
  return appendEvents(of, oneEvent);
}

/** The same with these events. */
export function appendEvents({ database, tenants }: Tenants, events: string): Variant {
  return {
    url: database.urlFor('intent_worker'),
    statement: 'select * from intent.append_events($1, $2, $3, $4, $5)',
    values: () => [pick(tenants), 'note', randomUUID(), '0', events],
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

/** The rows that `appendEvents` leaves, by one INSERT of a stream of `count` events with this payload. */
export function insertRows({ database, tenants }: Tenants, count: number, each: object): Variant {
  const firstPositions = countPositions(count);
  const text = JSON.stringify(each);
  return {
    url: database.adminUrl,
    statement: `insert into bench.raw_events ${columns}
      select $1, $2::bigint + n, 'note', $3, n, 'NoteTaken', 1, $4, '{}' from generate_series(1, ${count}) as n`,
    values() {
      const tenant = pick(tenants);
      return [tenant, firstPositions(tenant), randomUUID(), text];
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

export function countPositions(step = 1): (tenant: string) => string {
  const positions = new Map<string, number>();
  return (tenant) => {
    const position = (positions.get(tenant) ?? 0) + step;
    positions.set(tenant, position);
    return String(position);
  };
}
