import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase } from '../../testing/database.ts';
import { claimsOf, connect, createTenant, openBudget, placeOrder, submitAs, type TestTenant } from '../../testing/tenant.ts';

let db: ReturnType<typeof connect>;
let tenant: TestTenant;

beforeAll(async () => {
  db = connect(await createTestDatabase());
  tenant = await createTenant(db.admin);
});
afterAll(() => db.end());

const event = (note = 'x') => ({ type: 'Noted', schemaVersion: 1, payload: { note } });

async function append(stream: string, expectedVersion: number | null, events: unknown, commandId: string | null = null, tenantId = tenant.tenantId) {
  const { rows } = await db.worker.query<{ first_version: string; last_version: string; first_position: string; last_position: string; duplicate: boolean }>(
    'select * from intent.append_events($1, $2, $3, $4, $5, $6)',
    [tenantId, 'note', stream, expectedVersion, JSON.stringify(events), commandId],
  );
  const { duplicate, ...numbers } = rows[0]!;
  return { ...Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, Number(value)])), duplicate };
}

async function positions(tenantId: string): Promise<number[]> {
  const { rows } = await db.admin.query<{ position: string }>('select position from intent.events where tenant_id = $1 order by position', [tenantId]);
  return rows.map((row) => Number(row.position));
}

describe('append_events', () => {
  it('numbers versions in the stream and positions in the tenant', async () => {
    const fresh = await createTenant(db.admin);
    expect(await append('a', 0, [event(), event()], null, fresh.tenantId)).toEqual({
      first_version: 1, last_version: 2, first_position: 1, last_position: 2, duplicate: false,
    });
    expect(await append('b', 0, [event()], null, fresh.tenantId)).toMatchObject({ first_version: 1, first_position: 3 });
    expect(await append('a', 2, [event()], null, fresh.tenantId)).toMatchObject({ first_version: 3, first_position: 4 });
  });

  it('refuses a wrong expected version as IN001 with the actual one, and appends nothing', async () => {
    await append('conflict', 0, [event()]);
    const before = await positions(tenant.tenantId);
    await expect(append('conflict', 0, [event()])).rejects.toMatchObject({ code: 'IN001', detail: '{"actualVersion": 1}' });
    await expect(append('conflict', 7, [event()])).rejects.toMatchObject({ code: 'IN001' });
    expect(await positions(tenant.tenantId)).toEqual(before);
  });

  it('takes any version where none is expected', async () => {
    await append('any', null, [event()]);
    expect(await append('any', null, [event()])).toMatchObject({ first_version: 2 });
  });

  it.each([
    ['no array', { type: 'Noted' }, 'events must be an array'],
    ['an empty array', [], 'events must be an array'],
    ['more than 1,000', Array.from({ length: 1001 }, () => event()), 'events must be an array'],
    ['a bad type', [event(), { ...event(), type: 'noted' }], 'events[1] needs a type'],
    ['no type', [{ payload: {} }], 'events[0] needs a type'],
    ['a payload that is no object', [{ ...event(), payload: [] }], 'events[0] needs a payload'],
    ['a large payload', [event('x'.repeat(262_144))], 'events[0] has a payload over'],
    ['a schema version of 0', [{ ...event(), schemaVersion: 0 }], 'events[0] needs a schemaVersion'],
    ['an element that is no object', [1], 'events[0] must be an object'],
  ])('refuses %s as IN422, naming the element', async (_, events, message) => {
    await expect(append('malformed', null, events)).rejects.toMatchObject({ code: 'IN422', message: expect.stringContaining(message) });
  });

  it('refuses an unknown tenant as IN404', async () => {
    await expect(append('a', 0, [event()], null, randomUUID())).rejects.toMatchObject({ code: 'IN404' });
  });

  it('leaves no hole in the positions after a rollback', async () => {
    const { tenantId } = await createTenant(db.admin);
    await append('a', 0, [event()], null, tenantId);
    const client = await db.worker.connect();
    await client.query('begin');
    await client.query('select intent.append_events($1, $2, $3, 0, $4)', [tenantId, 'note', 'b', JSON.stringify([event(), event()])]);
    await client.query('rollback');
    client.release();
    await append('c', 0, [event()], null, tenantId);
    expect(await positions(tenantId)).toEqual([1, 2]);
  });

  it('keeps versions and positions contiguous under 16 writers on four streams', async () => {
    const { tenantId } = await createTenant(db.admin);
    const writes = Array.from({ length: 80 }, (_, n) => append(`s${n % 4}`, null, Array.from({ length: 1 + (n % 3) }, () => event()), null, tenantId));
    await Promise.all(writes);
    const all = await positions(tenantId);
    expect(all).toEqual(all.map((_, index) => index + 1));
    const { rows } = await db.admin.query<{ whole: boolean }>(
      'select count(*) = max(version) and min(version) = 1 as whole from intent.events where tenant_id = $1 group by aggregate_id',
      [tenantId],
    );
    expect(rows).toHaveLength(4);
    expect(rows.every(({ whole }) => whole)).toBe(true);
  });

  it('never shows a reader a position before all earlier ones, while writers commit', async () => {
    const { tenantId } = await createTenant(db.admin);
    let isWriting = true;
    const reading = (async () => {
      let reads = 0;
      for (; isWriting; reads += 1) {
        const { rows } = await db.admin.query<{ whole: boolean }>(
          'select count(*) = coalesce(max(position), 0) as whole from intent.events where tenant_id = $1',
          [tenantId],
        );
        expect(rows[0]!.whole).toBe(true);
      }
      return reads;
    })();
    await Promise.all(Array.from({ length: 100 }, (_, n) => append(`s${n}`, 0, [event(), event()], null, tenantId)));
    isWriting = false;
    expect(await reading).toBeGreaterThan(0);
  });
});

describe('append_events with a command', () => {
  async function submitted() {
    const order = placeOrder();
    return { ...order, ...(await submitAs(db.admin, claimsOf(tenant, 'member'), order)) };
  }
  async function appendFor(command: { commandId: string; aggregateId: string }, note = 'x') {
    const { rows } = await db.worker.query('select * from intent.append_events($1, $2, $3, 0, $4, $5)', [
      tenant.tenantId, 'order', command.aggregateId, JSON.stringify([event(note)]), command.commandId,
    ]);
    return rows[0] as { first_position: string; duplicate: boolean };
  }

  it('settles the command in the same transaction, with versions and positions as its outcome', async () => {
    const command = await submitted();
    const { first_position } = await appendFor(command);
    const { rows } = await db.admin.query('select status, outcome, completed_at from intent.commands where command_id = $1', [command.commandId]);
    expect(rows[0]).toMatchObject({
      status: 'succeeded',
      completed_at: expect.any(Date),
      outcome: { aggregateType: 'order', aggregateId: command.aggregateId, firstVersion: 1, lastVersion: 1, firstPosition: Number(first_position), lastPosition: Number(first_position) },
    });
  });

  it('returns the first result to a repetition, whatever that one wants to append', async () => {
    const command = await submitted();
    const first = await appendFor(command);
    expect(await appendFor(command, 'something else')).toEqual({ ...first, duplicate: true });
    const { rows } = await db.admin.query('select payload from intent.events where aggregate_id = $1', [command.aggregateId]);
    expect(rows).toEqual([{ payload: { note: 'x' } }]);
  });

  it('sets who and what caused the event itself, never from the caller', async () => {
    const command = await submitted();
    const forged = { ...event(), metadata: { commandId: randomUUID(), actor: { userId: randomUUID(), role: 'owner' }, note: 'kept' } };
    await db.worker.query('select intent.append_events($1, $2, $3, 0, $4, $5)', [
      tenant.tenantId, 'order', command.aggregateId, JSON.stringify([forged]), command.commandId,
    ]);
    const { rows } = await db.admin.query('select metadata from intent.events where aggregate_id = $1', [command.aggregateId]);
    expect(rows[0]).toEqual({
      metadata: {
        commandId: command.commandId,
        correlationId: command.commandId,
        causationId: command.commandId,
        actor: { userId: tenant.members.member, role: 'member' },
        traceparent: null,
        note: 'kept',
      },
    });
  });

  it('raises IN410 for a rejected command, IN404 for an unknown one, IN422 for one of another aggregate', async () => {
    const command = await submitted();
    await expect(appendFor({ ...command, aggregateId: randomUUID() })).rejects.toMatchObject({ code: 'IN422' });
    await db.worker.query(`select intent.reject_command($1, $2, 'NOT_ALLOWED', 'no', null)`, [tenant.tenantId, command.commandId]);
    await expect(appendFor(command)).rejects.toMatchObject({ code: 'IN410', detail: '{"status": "rejected"}' });
    await expect(appendFor({ ...command, commandId: randomUUID() })).rejects.toMatchObject({ code: 'IN404' });
  });

  it("does not find another tenant's command", async () => {
    const command = await submitted();
    const other = await createTenant(db.admin);
    const appending = db.worker.query('select intent.append_events($1, $2, $3, 0, $4, $5)', [
      other.tenantId, 'order', command.aggregateId, JSON.stringify([event()]), command.commandId,
    ]);
    await expect(appending).rejects.toMatchObject({ code: 'IN404' });
  });
});

describe('the log', () => {
  it.each(['update intent.events set type = type', 'delete from intent.events', 'truncate intent.events'])(
    'refuses «%s» even for a superuser, as IN405',
    async (statement) => {
      await append('kept', null, [event()]);
      await expect(db.admin.query(statement)).rejects.toMatchObject({ code: 'IN405' });
    },
  );

  it('refuses a change in replica mode too', async () => {
    const client = await db.admin.connect();
    await client.query(`set session_replication_role = replica`);
    await expect(client.query('delete from intent.events')).rejects.toMatchObject({ code: 'IN405' });
    client.release(true);
  });
});

describe('snapshots', () => {
  const load = async (stream: string, stateVersion: number) => {
    const { rows } = await db.worker.query<{ stream: { version: number; snapshot: unknown; events: { version: number }[] } }>(
      'select intent.load_aggregate($1, $2, $3, $4) as stream', [tenant.tenantId, 'note', stream, stateVersion]);
    return rows[0]!.stream;
  };
  const save = (stream: string, version: number, stateVersion: number) =>
    db.worker.query('select intent.save_snapshot($1, $2, $3, $4, $5, $6)', [tenant.tenantId, 'note', stream, version, stateVersion, '{"notes": 2}']);

  it('are loaded with the events after them, where the state version matches', async () => {
    await append('snap', 0, [event(), event(), event()]);
    await save('snap', 2, 1);
    expect(await load('snap', 1)).toMatchObject({ version: 3, snapshot: { version: 2, stateVersion: 1, state: { notes: 2 } }, events: [{ version: 3 }] });
    expect(await load('snap', 2)).toMatchObject({ version: 3, snapshot: null, events: [{ version: 1 }, { version: 2 }, { version: 3 }] });
  });

  it('are never ahead of their stream, and never go back', async () => {
    await append('back', 0, [event(), event(), event()]);
    await expect(save('back', 4, 1)).rejects.toMatchObject({ code: 'IN422' });
    await save('back', 3, 1);
    await save('back', 2, 1);
    expect(await load('back', 1)).toMatchObject({ snapshot: { version: 3 } });
  });

  it('may be deleted at any time', async () => {
    await append('gone', 0, [event()]);
    await save('gone', 1, 1);
    await db.admin.query('delete from intent.snapshots');
    expect(await load('gone', 1)).toMatchObject({ version: 1, snapshot: null, events: [{ version: 1 }] });
  });

  it('are not there for an unknown stream, which has version 0', async () => {
    expect(await load('unknown', 1)).toEqual({ version: 0, snapshot: null, events: [] });
  });
});

describe('an append', () => {
  it('is broadcast once to its tenant, with the events, and without them where they are too large', async () => {
    const { tenantId } = await createTenant(db.admin);
    await append('small', 0, [event(), event()], null, tenantId);
    await append('large', 0, [event('x'.repeat(210_000))], null, tenantId);
    const { rows } = await db.admin.query<{ event: string; private: boolean; payload: Record<string, unknown> }>(
      `select event, private, payload - 'id' as payload from realtime.messages where topic = $1 order by inserted_at`, [`tenant:${tenantId}:events`]);
    expect(rows).toMatchObject([
      { event: 'appended', private: true, payload: { aggregateType: 'note', aggregateId: 'small', fromPosition: 1, toPosition: 2, events: [{ version: 1 }, { version: 2 }] } },
      { event: 'appended', private: true, payload: { aggregateId: 'large', fromPosition: 3, toPosition: 3 } },
    ]);
    expect(rows[1]!.payload).not.toHaveProperty('events');
  });

  it('keeps the read models in its own transaction', async () => {
    const { tenantId } = await createTenant(db.admin);
    const budget = async (type: string, payload: object) =>
      db.worker.query('select intent.append_events($1, $2, $3, null, $4)', [tenantId, 'budget', 'groceries', JSON.stringify([{ type, schemaVersion: 1, payload }])]);
    await budget('BudgetOpened', openBudget('groceries').payload);
    await budget('BudgetReserved', { orderId: 'o1', amount: 300 });
    await budget('BudgetReserved', { orderId: 'o2', amount: 200 });
    await budget('BudgetSpent', { orderId: 'o1', amount: 300 });
    await budget('BudgetReleased', { orderId: 'o2', amount: 200 });
    const { rows } = await db.admin.query('select spending_limit, reserved, spent, version, position from intent.budgets where tenant_id = $1', [tenantId]);
    expect(rows).toEqual([{ spending_limit: '1000', reserved: '0', spent: '300', version: '5', position: '5' }]);
  });
});
