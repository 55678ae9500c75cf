import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { layStandIns } from '../local/lay-stand-ins.ts';
import { migrateDatabase } from '../local/migrate-database.ts';
import { type RunningPostgres, startPostgres } from '../local/postgres/start-postgres.ts';
import { createScratchDirectory, type ScratchDirectory } from './scratch-directory.ts';
import { chooseTestPort } from './test-port.ts';

// On Supabase the platform owns its schemas, and migrations run as an administrator who is no superuser. This server is
// set up like that: the platform's objects belong to the superuser, and `hosted` may create roles and owns the database.
let scratch: ScratchDirectory;
let server: RunningPostgres;
let hosted: pg.Client;

beforeAll(async () => {
  scratch = await createScratchDirectory();
  server = await startPostgres({ directory: `${scratch.path}/postgres`, port: await chooseTestPort(), password: 'only-for-this-test', log: () => {} });
  const superuser = new pg.Client(server.adminUrl());
  await superuser.connect();
  await superuser.query(`create role hosted login createrole createdb bypassrls password 'only-for-this-test'`);
  await superuser.query('create database hosted owner hosted');
  await superuser.end();
  const platform = new pg.Client(server.adminUrl('hosted'));
  await platform.connect();
  await layStandIns(platform);
  // What Supabase's extension supautils lets its administrator do: write policies on realtime.messages.
  await platform.query('grant supabase_realtime_admin to hosted');
  await platform.end();

  const url = new URL(server.adminUrl('hosted'));
  url.username = 'hosted';
  await migrateDatabase(url.href, 'current');
  await migrateDatabase(url.href, 'current');
  hosted = new pg.Client(url.href);
  await hosted.connect();
});
afterAll(async () => {
  await hosted.end();
  await server.stop();
  scratch.remove();
});

describe('a database whose administrator is no superuser', () => {
  it('takes the migrations, twice, and changes nothing of the platform', async () => {
    const { rows } = await hosted.query(`select rolsuper, pg_get_userbyid(relowner) as events_owner from pg_roles, pg_class
      where rolname = current_user and pg_class.oid = 'intent.events'::regclass`);
    expect(rows).toEqual([{ rolsuper: false, events_owner: 'intent_owner' }]);
    const platform = await hosted.query(`select distinct pg_get_userbyid(nspowner) as owner from pg_namespace where nspname in ('auth', 'realtime') and pg_get_userbyid(nspowner) = 'hosted'`);
    expect(platform.rows).toEqual([]);
  });

  it('appends and broadcasts as the roles of ours', async () => {
    await hosted.query(`select intent.create_tenant('00000000-0000-4000-8000-000000000001', 'Rose')`);
    await hosted.query(`select intent.append_events('00000000-0000-4000-8000-000000000001', 'note', 'a', 0, '[{"type": "Noted", "schemaVersion": 1, "payload": {}}]')`);
    const platform = new pg.Client(server.adminUrl('hosted'));
    await platform.connect();
    const { rows } = await platform.query('select topic, event from realtime.messages');
    await platform.end();
    expect(rows).toEqual([{ topic: 'tenant:00000000-0000-4000-8000-000000000001:events', event: 'appended' }]);
  });
});
