import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase } from '../../testing/database.ts';
import { connect } from '../../testing/tenant.ts';

let db: ReturnType<typeof connect>;
beforeAll(async () => {
  db = connect(await createTestDatabase());
});
afterAll(() => db.end());

it('leases and marks do not wait for the disk, outcomes do', async () => {
  expect((await db.pump.query('show synchronous_commit')).rows).toEqual([{ synchronous_commit: 'off' }]);
  expect((await db.worker.query('show synchronous_commit')).rows).toEqual([{ synchronous_commit: 'on' }]);
});

it('nobody but the pump has been told not to wait, so submissions do as well', async () => {
  const { rows } = await db.admin.query(
    `select setrole::regrole::text as role, setdatabase from pg_db_role_setting where array_to_string(setconfig, ',') like '%synchronous_commit%'`);
  expect(rows).toEqual([{ role: 'intent_pump', setdatabase: 0 }]);
});
