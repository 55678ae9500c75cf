import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase } from '../../testing/database.ts';
import { claimsOf, connect, createTenant, openBudget, submitAs, type TestTenant } from '../../testing/tenant.ts';

// Realtime counts the messages of a whole project, and closes everybody's channels above its limit: no tenant may send them all.

let db: ReturnType<typeof connect>;
let tenant: TestTenant;

beforeAll(async () => {
  db = connect(await createTestDatabase());
});
afterAll(() => db.end());
beforeEach(async () => {
  await db.admin.query('truncate intent.withheld_hints');
  tenant = await createTenant(db.admin);
});

const ofOneAppend = JSON.stringify([{ type: 'Noted', schemaVersion: 1, payload: {} }]);

async function append(times: number, tenantId = tenant.tenantId): Promise<void> {
  await db.admin.query(`do $$ begin for n in 1 .. ${times} loop
    perform intent.append_events('${tenantId}', 'note', 'a', null, '${ofOneAppend}'); end loop; end $$`);
}

interface Message {
  readonly event: string;
  readonly payload: { readonly fromPosition?: number; readonly toPosition?: number; readonly events?: unknown[] };
}

async function messages(topic = `tenant:${tenant.tenantId}:events`): Promise<Message[]> {
  const { rows } = await db.admin.query<Message>(
    'select event, payload from realtime.messages where topic = $1 order by inserted_at, id', [topic]);
  return rows;
}

async function announce(): Promise<{ hints: number; events: number }> {
  const { rows } = await db.pump.query<{ hints: number; events: string }>('select * from intent.announce_withheld_hints()');
  return { hints: rows[0]!.hints, events: Number(rows[0]!.events) };
}

async function setLimit(hintsPerSecond: number | null): Promise<void> {
  await db.admin.query('select intent.set_hint_limit($1, $2)', [tenant.tenantId, hintsPerSecond]);
}

async function noted(): Promise<number> {
  const { rowCount } = await db.admin.query('select from intent.withheld_hints where tenant_id = $1', [tenant.tenantId]);
  return rowCount!;
}

/** As if the tenant had done nothing for a while. */
async function makeOlder(seconds: number): Promise<void> {
  await db.admin.query(`alter table intent.events disable trigger user`);
  await db.admin.query('update intent.events set recorded_at = recorded_at - make_interval(secs => $2) where tenant_id = $1', [tenant.tenantId, seconds]);
  await db.admin.query(`alter table intent.events enable trigger user`);
  await db.admin.query('update intent.withheld_hints set announced_at = announced_at - make_interval(secs => $2) where tenant_id = $1', [tenant.tenantId, seconds]);
}

describe('the hints of appends', () => {
  it('cost each append a few rows of the log to read, however long it is', async () => {
    await setLimit(100);
    const session = await db.admin.connect();
    // One call, and so one plan for each statement, which was made when there was little to read.
    const rowsReadBy = async (times: number) => {
      const read = `select sum(idx_tup_fetch + seq_tup_read)::integer as rows from pg_stat_user_tables where relid in ('intent.events'::regclass, 'intent.tenants'::regclass)`;
      await session.query('select pg_stat_force_next_flush()');
      const before = (await session.query<{ rows: number }>(read)).rows[0]!.rows;
      for (let n = 0; n < times; n += 1) {
        await session.query('select intent.append_events($1, $2, $3, 0, $4)', [tenant.tenantId, 'note', randomUUID(), ofOneAppend]);
      }
      await session.query('select pg_stat_force_next_flush()');
      return (await session.query<{ rows: number }>(read)).rows[0]!.rows - before;
    };
    await rowsReadBy(20);
    await append(900);
    expect(await rowsReadBy(50)).toBeLessThan(50 * 10);
    session.release();
  });

  it('are one each, with the events, and nothing else is written, while a tenant keeps within five a second', async () => {
    await append(50);
    const sent = await messages();
    expect(sent).toHaveLength(50);
    expect(sent.every(({ payload }) => payload.events?.length === 1)).toBe(true);
    expect(await noted()).toBe(0);
    expect(await announce()).toEqual({ hints: 0, events: 0 });
  });

  it('are one in all above that, without the events, and up to the end of the log', async () => {
    await append(80);
    expect(await messages()).toHaveLength(50);
    expect(await announce()).toEqual({ hints: 1, events: 30 });
    const sent = await messages();
    expect(sent).toHaveLength(51);
    expect(sent).toContainEqual({ event: 'appended', payload: { id: expect.any(String), fromPosition: 51, toPosition: 80 } });
  });

  it('are not sent twice, nor more often than once a second, however many pumps ask', async () => {
    await append(80);
    const answers = await Promise.all([announce(), announce(), announce()]);
    expect(answers.reduce((sum, { hints }) => sum + hints, 0)).toBe(1);
    await append(5);
    expect(await announce()).toEqual({ hints: 0, events: 0 });
    await db.admin.query(`update intent.withheld_hints set announced_at = announced_at - interval '1 second'`);
    expect(await announce()).toEqual({ hints: 1, events: 5 });
    expect(await announce()).toEqual({ hints: 0, events: 0 });
  });

  it('come one each again after a calm time, and the note that they were withheld goes', async () => {
    await append(80);
    await announce();
    await makeOlder(16);
    await announce();
    expect(await noted()).toBe(0);
    await append(3);
    expect(await messages()).toHaveLength(54);
  });

  it('come one each after a pause of a second, whatever was before', async () => {
    await append(80);
    await makeOlder(1);
    await append(1);
    expect((await messages()).at(-1)).toMatchObject({ payload: { toPosition: 81, events: [{}] } });
  });

  it('of a tenant without a limit are all sent, and an operator can set another', async () => {
    await setLimit(null);
    await append(70);
    expect(await messages()).toHaveLength(70);
    await setLimit(8);
    await append(30);
    expect(await messages()).toHaveLength(80);
    await expect(setLimit(0)).rejects.toMatchObject({ code: 'IN422' });
    await expect(db.admin.query('select intent.set_hint_limit($1, 1)', [randomUUID()])).rejects.toMatchObject({ code: 'IN404' });
    await expect(db.worker.query('select intent.set_hint_limit($1, 1)', [tenant.tenantId])).rejects.toMatchObject({ code: '42501' });
  });

  it("of others do not mind a busy tenant, nor does an append wait for an announcement that has not committed", async () => {
    const other = await createTenant(db.admin);
    await append(80);
    const pump = await db.pump.connect();
    await pump.query('begin');
    await pump.query('select from intent.announce_withheld_hints()');
    await Promise.race([append(5), new Promise((_, reject) => setTimeout(reject, 5_000, new Error('The append waits')))]);
    await append(5, other.tenantId);
    await pump.query('rollback');
    pump.release();
    expect(await messages(`tenant:${other.tenantId}:events`)).toHaveLength(5);
    expect(await announce()).toEqual({ hints: 1, events: 35 });
  });
});

describe('the hints of a batch', () => {
  const runs = (ids: readonly string[]) =>
    JSON.stringify(ids.map((commandId) => ({
      aggregateType: 'budget', aggregateId: `budget-${commandId}`, expectedVersion: 0,
      decisions: [{ commandId, events: [{ type: 'BudgetOpened', schemaVersion: 1, payload: { name: 'x', limit: 1 } }] }],
    })));

  async function submit(count: number): Promise<string[]> {
    const ids = Array.from({ length: count }, () => randomUUID() as string);
    for (const commandId of ids) {
      await submitAs(db.admin, claimsOf(tenant, 'owner'), { commandId, ...openBudget(`budget-${commandId}`) });
    }
    return ids;
  }

  it('are withheld, and its outcomes with them, if it alone would send more than its tenant may', async () => {
    await db.worker.query('select intent.settle_batch($1, $2)', [tenant.tenantId, runs(await submit(60))]);
    expect(await messages()).toEqual([]);
    expect(await messages(`tenant:${tenant.tenantId}:user:${tenant.members.owner}`)).toEqual([]);
    expect(await announce()).toEqual({ hints: 1, events: 60 });
  });

  it('and its outcomes are all sent if they are few', async () => {
    await db.worker.query('select intent.settle_batch($1, $2)', [tenant.tenantId, runs(await submit(9))]);
    expect(await messages()).toHaveLength(9);
    expect(await messages(`tenant:${tenant.tenantId}:user:${tenant.members.owner}`)).toHaveLength(9);
  });

  it('and rejections, which have no events, are told up to the same rate', async () => {
    await setLimit(1);
    for (const commandId of await submit(15)) {
      await db.worker.query(`select intent.reject_command($1, $2, 'NOT_ALLOWED', 'no', '{}')`, [tenant.tenantId, commandId]);
    }
    expect(await messages(`tenant:${tenant.tenantId}:user:${tenant.members.owner}`)).toHaveLength(10);
  });
});
