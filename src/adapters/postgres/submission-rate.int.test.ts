import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase } from '../../testing/database.ts';
import { expectSoon } from '../../testing/expect-soon.ts';
import { claimsOf, connect, createTenant, placeOrder, submitAs } from '../../testing/tenant.ts';

let db: ReturnType<typeof connect>;
beforeAll(async () => {
  db = connect(await createTestDatabase());
});
afterAll(() => db.end());

it('a submission that has waited for another is counted in the second in which it goes on', async () => {
  const tenant = await createTenant(db.admin);
  await db.admin.query('select intent.set_limits($1, 1000, null)', [tenant.tenantId]);
  const submit = () => submitAs(db.admin, claimsOf(tenant, 'owner'), placeOrder());
  const countedSecond = (of: Pick<typeof db.admin, 'query'> = db.admin) =>
    of.query<{ second: Date }>('select counted_second as second from intent.submission_counts where tenant_id = $1 for update', [tenant.tenantId]);
  await submit();

  const other = await db.admin.connect();
  await other.query('begin');
  const first = (await countedSecond(other)).rows[0]!.second;
  const waiting = submit();
  const blocked = () => db.admin.query('select from pg_stat_activity where datname = current_database() and cardinality(pg_blocking_pids(pid)) > 0');
  await expectSoon(async () => (await blocked()).rowCount).toBe(1);
  const clock = async () => (await other.query<{ now: Date }>('select clock_timestamp() as now')).rows[0]!.now;
  const began = await clock();
  await expectSoon(async () => Math.floor((await clock()).getTime() / 1_000)).toBeGreaterThan(Math.floor(began.getTime() / 1_000));
  const releasedAt = await clock();
  await other.query('commit');
  other.release();
  await waiting;

  const { second } = (await countedSecond()).rows[0]!;
  expect(second.getTime()).toBeGreaterThan(first.getTime());
  expect(second.getTime()).toBeGreaterThanOrEqual(Math.floor(releasedAt.getTime() / 1_000) * 1_000);
});
