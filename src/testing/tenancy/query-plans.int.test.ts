import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../database.ts';
import { tenantTables } from './catalogue.ts';
import { fillManyTenants, firstOfMany } from './many-tenants.ts';
import { rolledBack } from './rolled-back.ts';

/** A node of a plan, as EXPLAIN's JSON has it. */
interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Cond'?: string;
  readonly Plans?: readonly PlanNode[];
}

// auto_explain tells the plans of what functions run inside, too.
let database: TestDatabase;
let admin: pg.Client;
let ofTenants: ReadonlySet<string>;
let plans: PlanNode[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
  admin = new pg.Client(database.adminUrl);
  await admin.connect();
  await fillManyTenants(admin);
  const { rows } = await admin.query<{ name: string }>(`select relname as name from ${tenantTables} as c`);
  ofTenants = new Set(rows.map(({ name }) => name));
  await admin.query(`load 'auto_explain'; set auto_explain.log_format = json; set auto_explain.log_level = notice;
    set auto_explain.log_nested_statements = on; set auto_explain.log_min_duration = 0`);
  admin.on('notice', ({ message = '' }) => {
    const json = /plan:\n(\{.*\})$/s.exec(message)?.[1];
    if (json !== undefined) plans.push((JSON.parse(json) as { Plan: PlanNode }).Plan);
  });
});
afterAll(async () => {
  await admin.end();
  await database.drop();
});

/** Where a call reads the rows of tenants: the node and its table, without those that go by an index and a condition on it. */
async function scansOf(call: string, settings = ''): Promise<{ tables: Set<string>; whole: string[] }> {
  const { tenantId, owner } = firstOfMany;
  plans = [];
  await rolledBack(admin, async () => {
    await admin.query(`${settings}; set local role authenticated`);
    await admin.query(`select set_config('request.jwt.claims', $1, true)`, [JSON.stringify({ sub: owner, tenant_id: tenantId })]);
    await admin.query(call);
  });
  const nodes = plans.flatMap(nodesOf).filter((node) => ofTenants.has(node['Relation Name'] ?? ''));
  return {
    tables: new Set(nodes.map((node) => node['Relation Name']!)),
    whole: nodes.filter(readsAll).map((node) => `${node['Node Type']} on ${node['Relation Name']}`),
  };
}

function nodesOf(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)];
}

function readsAll(node: PlanNode): boolean {
  const isScan = node['Node Type'].endsWith('Scan') && node['Node Type'] !== 'Bitmap Heap Scan';
  return isScan && node['Index Cond'] === undefined;
}

const { orderId, commandId } = firstOfMany;
// Each call looks at the membership, and at its tenant's rules of signing in.
const calls: readonly (readonly [string, string, readonly string[]])[] = [
  ['read_feed', 'select api.read_feed(0)', ['events', 'memberships', 'tenants']],
  ['hydrate', `select api.hydrate('order', '${orderId}')`, ['events', 'memberships', 'snapshots', 'tenants']],
  ['get_command', `select api.get_command('${commandId}')`, ['commands', 'memberships', 'tenants']],
  [
    'submit_command',
    `select api.submit_command(gen_random_uuid(), 'PlaceOrder', 'order', '${orderId}', '{}')`,
    ['commands', 'memberships', 'tenants'],
  ],
  ['my_tenants', 'select api.my_tenants()', ['memberships', 'tenants']],
  ['members', 'select api.members()', ['memberships', 'tenants']],
  ['the view orders', 'select * from api.orders', ['memberships', 'orders', 'tenants']],
  ['one of the view orders', `select * from api.orders where order_id = '${orderId}'`, ['memberships', 'orders', 'tenants']],
  ['the view budgets', 'select * from api.budgets', ['budgets', 'memberships', 'tenants']],
];

describe.each(['force_custom_plan', 'force_generic_plan'])('with 1,000 tenants and %s', (mode) => {
  it.each(calls)('%s goes by an index to the rows of its tenant', async (_, call, tables) => {
    const scans = await scansOf(call, `set local plan_cache_mode = ${mode}`);
    expect(scans.whole).toEqual([]);
    expect(scans.tables).toEqual(new Set(tables));
  });
});

it.each(['events', 'snapshots', 'orders', 'budgets', 'tenants'])('the wall in both policies costs reads of %s nothing: the plan is as with one', async (table) => {
  const planned = async () => {
    await admin.query('set local role authenticated');
    await admin.query(`select set_config('request.jwt.claims', $1, true)`, [
      JSON.stringify({ sub: firstOfMany.owner, tenant_id: firstOfMany.tenantId }),
    ]);
    const { rows } = await admin.query<{ 'QUERY PLAN': unknown }>(`explain (format json, costs off) select * from intent.${table}`);
    await admin.query('reset role');
    return rows[0]!['QUERY PLAN'];
  };
  await rolledBack(admin, async () => {
    const inBoth = await planned();
    await admin.query(`alter policy members_read on intent.${table} using (true)`);
    expect(inBoth).toEqual(await planned());
  });
});

it('a scan of a whole table is seen, also within a function', async () => {
  const noIndex = 'set local enable_indexscan = off; set local enable_indexonlyscan = off; set local enable_bitmapscan = off';
  const { whole } = await scansOf('select api.read_feed(0)', noIndex);
  expect(whole).toContain('Seq Scan on events');
});
