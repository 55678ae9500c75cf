import { randomInt } from 'node:crypto';
import { pick, type Tenants } from './append-calls.ts';
import type { Variant } from './rounds.ts';

/** `load_aggregate` of one of the streams that bench.fill_events has made. */
export function loadStream({ database, tenants }: Tenants, streams: number): Variant {
  return loadOf({ database, tenants }, () => `stream-${1 + randomInt(streams)}`);
}

/** `load_aggregate` of one certain stream. */
export function loadOf({ database, tenants }: Tenants, aggregateId: () => string): Variant {
  return {
    url: database.urlFor('intent_worker'),
    statement: 'select intent.load_aggregate($1, $2, $3, $4)',
    values: () => [pick(tenants), 'note', aggregateId(), '1'],
  };
}
