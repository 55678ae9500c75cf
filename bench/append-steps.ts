import { randomUUID } from 'node:crypto';
import { appendOneEvent, countPositions, createTenants, insertOneRow, oneEvent, pick, type Tenants } from './append-calls.ts';
import { startBenchServer } from './database.ts';
import { describeRates, measureRounds, ratios, type Variant } from './rounds.ts';
import { toRow, type Row } from './row.ts';

const tenantCount = 64;

/** From a raw INSERT to the whole `append_events`, step by step: where the time goes. */
export async function appendSteps({ scale }: { scale: number }): Promise<Row[]> {
  const server = await startBenchServer();
  try {
    // A database each: they number the same positions.
    const of = async (name: string) => createTenants(await server.createDatabase(name), tenantCount);
    const silent = await of('silent');
    await silent.database.admin.query(`create or replace function intent.send_realtime(payload jsonb, event text, topic text)
      returns void language plpgsql as $$ begin end $$`);

    const { raw, ...steps } = await measureRounds(
      {
        raw: insertOneRow(await of('raw')),
        'INSERT in a minimal definer function': insertInFunction(await of('function')),
        'the same with the lock and both look-ups': insertNumbered(await of('numbered')),
        'append_events without its broadcast': appendOneEvent(silent),
        append_events: appendOneEvent(await of('whole')),
      },
      { connections: 32, scale },
    );
    return Object.entries(steps).map(([step, measured]) => toRow({
      benchmark: 'append-steps',
      measured: `${step} : raw INSERT`,
      values: ratios(measured, raw),
      figures: describeRates(measured, raw),
    }));
  } finally {
    await server.stop();
  }
}

function insertInFunction({ database, tenants }: Tenants): Variant {
  const nextPosition = countPositions();
  return {
    url: database.urlFor('intent_worker'),
    statement: 'select bench.insert_event($1, $2, $3, $4)',
    values() {
      const tenant = pick(tenants);
      return [tenant, nextPosition(tenant), randomUUID(), oneEvent];
    },
  };
}

function insertNumbered({ database, tenants }: Tenants): Variant {
  return {
    url: database.urlFor('intent_worker'),
    statement: 'select bench.insert_numbered_event($1, $2, $3)',
    values: () => [pick(tenants), randomUUID(), oneEvent],
  };
}
