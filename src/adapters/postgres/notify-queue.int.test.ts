import pg from 'pg';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { type OwnDatabase, startOwnDatabase } from '../../testing/own-database.ts';
import { createScratchDirectory } from '../../testing/scratch-directory.ts';
import { claimsOf, createTenant, placeOrder, submitAs } from '../../testing/tenant.ts';

const scratch = await createScratchDirectory();
let database: OwnDatabase;
beforeAll(async () => {
  database = await startOwnDatabase(scratch.path);
  // The least that it takes: half a megabyte instead of eight gigabytes.
  await database.admin.query('alter system set max_notify_queue_pages = 64');
  await database.restart('fast');
});
afterAll(async () => {
  await database.stop();
  scratch.remove();
});

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client(url);
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

it('submissions go on while a session that listens and never reads has filled the server\'s queue of notifications', async () => {
  const { admin, urlFor } = database;
  const owner = claimsOf(await createTenant(admin), 'owner');
  const sleeper = await connect(urlFor('intent_pump'));
  await sleeper.query('begin');
  expect((await sleeper.query('select intent.take_wait_slot() as slot')).rows).toEqual([{ slot: 1 }]);
  const deaf = await connect(urlFor('intent_pump'));
  await deaf.query('listen anything');
  await deaf.query('begin');
  const fill = `select count(pg_notify('anything', n || repeat('x', 7000))) from generate_series(1, 20) as n`;
  await expect((async () => {
    for (;;) await admin.query(fill);
  })()).rejects.toMatchObject({ code: '54000' });

  await submitAs(admin, owner, placeOrder());
  expect((await sleeper.query(`select type from intent.claim_commands('pump', 10, '30 s')`)).rows).toEqual([{ type: 'PlaceOrder' }]);
});
