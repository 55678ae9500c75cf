import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fillReadModels } from '../local/fill-read-models.ts';
import { append, noted } from './appends.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { connect, createTenant, type TestTenant } from './tenant.ts';

let database: TestDatabase;
let db: ReturnType<typeof connect>;
let tenants: TestTenant[];
beforeAll(async () => {
  database = await createTestDatabase();
  db = connect(database);
  tenants = [await createTenant(db.admin), await createTenant(db.admin)];
  for (const { tenantId } of tenants) {
    for (const aggregateId of ['a', 'b']) await append(db.worker, tenantId, { aggregateId, expectedVersion: 0, events: [noted(), noted()] });
  }
});
afterAll(() => db.end());

/** How many notes there are of each thing: a read model as an app's migration would bring it, over events that are there. */
const migration = `
  begin;
  set local role intent_owner;
  create table intent.notes (tenant_id uuid not null, note_id text collate "C" not null, notes bigint not null, primary key (tenant_id, note_id));
  alter table intent.notes enable row level security;
  alter table intent.notes force row level security;
  create policy owner_in_tenant on intent.notes to intent_owner
    using (tenant_id = intent.entered_tenant_id()) with check (tenant_id = intent.entered_tenant_id());
  insert into intent.read_models (read_model, aggregate_column, trigger_name) values ('notes', 'note_id', 'project_notes');
  create function intent.notes_as_of(of_tenant uuid, as_of bigint, only_ids text[] default null) returns setof intent.notes
  language sql stable set search_path = pg_catalog, pg_temp as $$
    select e.tenant_id, e.aggregate_id, count(*)
    from intent.events as e
    where e.tenant_id = of_tenant and e.aggregate_type = 'note' and (as_of is null or e.position <= as_of)
      and (only_ids is null or e.aggregate_id = any (only_ids))
    group by e.tenant_id, e.aggregate_id
  $$;
  create function intent.project_notes() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
  begin
    insert into intent.notes as n values (new.tenant_id, new.aggregate_id, 1)
    on conflict on constraint notes_pkey do update set notes = n.notes + 1;
    return null;
  end $$;
  create trigger project_notes after insert on intent.events for each row when (new.aggregate_type = 'note') execute function intent.project_notes();
  commit`;

describe('a read model that is new over old events', () => {
  const notes = async () => (await db.admin.query<{ note_id: string; notes: number }>(`select note_id, notes::int from intent.notes where tenant_id = $1 order by 1`, [tenants[1]!.tenantId])).rows;
  const problems = async () => (await db.operator.query<{ problem: string; object: string }>('select problem, object from intent.doctor()')).rows;
  const fill = async (log: (line: string) => void) => {
    const client = await db.admin.connect();
    try {
      await fillReadModels(client, log);
    } finally {
      client.release();
    }
  };

  it('is said by the doctor to lack them, and is filled while events come', async () => {
    await db.admin.query(migration);
    expect(await problems()).toEqual([{ problem: 'read model not filled', object: 'intent.notes' }]);
    await append(db.worker, tenants[1]!.tenantId, { aggregateId: 'b', expectedVersion: 2, events: [noted()] });
    expect(await notes()).toEqual([{ note_id: 'b', notes: 1 }]);

    const lines: string[] = [];
    await fill((line) => lines.push(line));
    expect(lines).toEqual(['notes: filled from the events of 2 tenants, 4 aggregates.']);
    expect(await notes()).toEqual([{ note_id: 'a', notes: 2 }, { note_id: 'b', notes: 3 }]);
    expect(await problems()).toEqual([]);
  });

  it('is looked after as every other: what differs is found, and made anew', async () => {
    await db.admin.query(`update intent.notes set notes = 7 where tenant_id = $1 and note_id = 'a'`, [tenants[1]!.tenantId]);
    const drift = () => db.operator.query('select read_model, aggregate_id from intent.read_model_drift($1)', [tenants[1]!.tenantId]);
    expect((await drift()).rows).toEqual([{ read_model: 'notes', aggregate_id: 'a' }]);
    await db.operator.query('select intent.rebuild_read_models($1)', [tenants[1]!.tenantId]);
    expect((await drift()).rows).toEqual([]);
    await db.admin.query('alter table intent.events disable trigger project_notes');
    expect(await problems()).toEqual([{ problem: 'trigger disabled', object: 'project_notes on intent.events' }]);
  });

  it('says nothing, and does nothing, if there is none', async () => {
    const lines: string[] = [];
    await fill((line) => lines.push(line));
    expect(lines).toEqual([]);
  });
});
