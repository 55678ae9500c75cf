import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../database.ts';

// Auth calls the hook for every token, and gives it two seconds. auto_explain tells what it reads, whatever the clock says.
interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Cond'?: string;
  readonly 'Actual Rows'?: number;
  readonly 'Actual Loops'?: number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly PlanNode[];
}

const memberCount = 200_000;
const uuid = (kind: string, n: number | string) => `${kind}0000000-0000-7000-8000-${String(n).padStart(12, '0')}`;
const uuidOf = (kind: string) => `('${kind}0000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid`;

let database: TestDatabase;
let admin: pg.Client;
let plans: PlanNode[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
  admin = new pg.Client(database.adminUrl);
  await admin.connect();
  // The plans are made while nobody is there yet, and kept.
  await callHook(1);
  await admin.query(`
    begin;
    set local session_replication_role = replica;
    insert into intent.tenants (tenant_id, name) select ${uuidOf('a')}, 'Tenant' from generate_series(0, 999) as n;
    insert into intent.memberships (tenant_id, user_id, role)
      select ('a0000000-0000-7000-8000-' || lpad((n % 1000)::text, 12, '0'))::uuid, ${uuidOf('b')}, 'member'
      from generate_series(1, ${memberCount}) as n;
    insert into intent.session_tenants (session_id, user_id, tenant_id)
      select ${uuidOf('e')}, ${uuidOf('b')}, ('a0000000-0000-7000-8000-' || lpad((n % 1000)::text, 12, '0'))::uuid
      from generate_series(1, ${memberCount}) as n;
    commit`);
  await admin.query(`load 'auto_explain'; set auto_explain.log_format = json; set auto_explain.log_level = notice; set auto_explain.log_analyze = on;
    set auto_explain.log_nested_statements = on; set auto_explain.log_min_duration = 0`);
  admin.on('notice', ({ message = '' }) => {
    const json = /plan:\n(\{.*\})$/s.exec(message)?.[1];
    if (json !== undefined) plans.push((JSON.parse(json) as { Plan: PlanNode }).Plan);
  });
}, 60_000);
afterAll(async () => {
  await admin.end();
  await database.drop();
});

async function callHook(member: number): Promise<unknown> {
  const event = { user_id: uuid('b', member), claims: { session_id: uuid('e', member) }, authentication_method: 'password' };
  const { rows } = await admin.query<{ answer: unknown }>('select intent.custom_access_token_hook($1) as answer', [event]);
  return rows[0]!.answer;
}

const nodesOf = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)];
const rowsReadBy = (node: PlanNode) => ((node['Actual Rows'] ?? 0) + (node['Rows Removed by Filter'] ?? 0)) * (node['Actual Loops'] ?? 1);

describe.each(['a plan of before', 'as the planner knows them'])(`with ${memberCount} members, and %s`, (when) => {
  beforeAll(async () => {
    if (when !== 'a plan of before') await admin.query('analyze intent.memberships, intent.tenants, intent.session_tenants');
  });

  it('the hook reads a row of each table, by an index', async () => {
    plans = [];
    expect(await callHook(777)).toMatchObject({ claims: { tenant_id: uuid('a', 777), tenant_role: 'member' } });
    const scans = plans.flatMap(nodesOf).filter((node) => node['Relation Name'] !== undefined);
    expect(new Set(scans.map((node) => node['Relation Name']))).toEqual(new Set(['memberships', 'tenants', 'session_tenants']));
    expect(scans.filter((node) => node['Index Cond'] === undefined && node['Node Type'] !== 'Bitmap Heap Scan')).toEqual([]);
    expect(scans.map(rowsReadBy).reduce((sum, rows) => sum + rows, 0)).toBeLessThanOrEqual(4);
  });
});
