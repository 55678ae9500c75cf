import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { publishableKey, type TestGateway } from '../../local/gateway/testing/test-gateway.ts';
import { startClientGateway } from '../client-gateway.ts';
import { countRows } from '../count-rows.ts';

let gateway: TestGateway;
let token: string;

const [tenantId, ownOrderId] = [randomUUID(), randomUUID()];
const [otherTenantId, otherOrderId, otherCommandId] = [randomUUID(), randomUUID(), randomUUID()];

beforeAll(async () => {
  gateway = await startClientGateway();
  const { userId, client } = await gateway.signUp('reader');
  const createTenants = `select intent.create_tenant($1, 'Rose'), intent.create_tenant($2, 'Thorn')`;
  await gateway.admin.query(createTenants, [tenantId, otherTenantId]);
  await gateway.admin.query(`select intent.add_member($1, $2, 'owner')`, [tenantId, userId]);
  await placeOrder(tenantId, ownOrderId);
  await placeOrder(otherTenantId, otherOrderId);
  const submit = `select intent.submit_system_command($1, $2, 'RejectOrder', 'order', $3, '{"reason": "late"}', $2, $2)`;
  await gateway.admin.query(submit, [otherTenantId, otherCommandId, otherOrderId]);
  token = (await client.auth.refreshSession()).data.session!.access_token;
});

afterAll(() => gateway.stop());

async function placeOrder(inTenant: string, orderId: string): Promise<void> {
  const payload = { budgetId: 'groceries', lines: [], total: 700, placedBy: randomUUID(), needsApproval: false };
  await gateway.admin.query(`select intent.append_events($1, 'order', $2, 0, $3)`, [
    inTenant,
    orderId,
    JSON.stringify([{ type: 'OrderPlaced', schemaVersion: 1, payload, metadata: {} }]),
  ]);
}

interface Call {
  readonly path: string;
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** As the signed-in owner of Rose, unless the headers say otherwise. */
function call({ path, method = 'GET', headers, body }: Call): Promise<Response> {
  return fetch(`${gateway.url}/rest/v1/${path}`, {
    method,
    headers: { apikey: publishableKey, authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}

const post = (path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Call => ({
  path,
  method: 'POST',
  headers,
  body,
});
const anonymous = { authorization: '' };
const newOrder = { order_id: randomUUID(), status: 'confirmed', total: 1 };
const command = () => ({
  command_id: randomUUID(),
  type: 'OpenBudget',
  aggregate_type: 'budget',
  aggregate_id: 'groceries',
  payload: { name: 'A', limit: 1 },
});

/** Runs what must not change anything. */
async function withoutChange(attack: () => Promise<Response>): Promise<{ status: number; body: string }> {
  const before = await countRows(gateway.admin);
  const response = await attack();
  const body = await response.text();
  expect(await countRows(gateway.admin)).toEqual(before);
  expect(body).not.toMatch(new RegExp(`${otherTenantId}|${otherOrderId}|${otherCommandId}`));
  return { status: response.status, body };
}

describe('no other schema than api', () => {
  test.for([
    'intent', 'auth', 'realtime', 'public', 'extensions', 'pg_catalog', 'information_schema', 'api, intent', '"api"',
  ])('%s is 406, to read and to call', async (schema) => {
    const read = () => call({ path: 'commands', headers: { 'Accept-Profile': schema } });
    expect((await withoutChange(read)).status).toBe(406);
    const execute = () => call(post('rpc/my_tenants', {}, { 'Content-Profile': schema }));
    expect((await withoutChange(execute)).status).toBe(406);
  });

  test.for([
    'commands', 'events', 'memberships', 'tenants', 'users', 'pg_authid', 'intent.commands', 'api.orders', 'dead_letters',
  ])('the table %s is 404', async (path) => {
    expect((await withoutChange(() => call({ path }))).status).toBe(404);
  });

  test.for([
    'append_events', 'claim_commands', 'submit_system_command', 'submit_member_command', 'add_member', 'set_limits', 'enter_tenant',
    'custom_access_token_hook', 'set_config', 'current_setting', 'pg_sleep', 'query_to_xml', 'pg_read_file', 'dblink',
  ])('the function %s is 404', async (name) => {
    expect((await withoutChange(() => call(post(`rpc/${name}`, {})))).status).toBe(404);
  });

  test('the description that PostgREST gives names what api has for people, and nothing else', async () => {
    const { rows } = await gateway.admin.query<{ path: string }>(`
      select '/' || relname as path from pg_class
      where relnamespace = 'api'::regnamespace and has_table_privilege('authenticated', oid, 'select')
      union
      select '/rpc/' || proname from pg_proc
      where pronamespace = 'api'::regnamespace and has_function_privilege('authenticated', oid, 'execute')`);
    const { paths } = (await (await call({ path: '' })).json()) as { paths: object };
    expect(Object.keys(paths).toSorted()).toEqual(['/', ...rows.map(({ path }) => path)].toSorted());
  });
});

describe('without a token the key opens nothing', () => {
  test('the description is refused, too', async () => {
    expect(await withoutChange(() => call({ path: '', headers: anonymous }))).toMatchObject({ status: 401 });
  });

  test.for([
    { path: 'orders', method: 'GET' } as const,
    { path: 'budgets', method: 'GET' } as const,
    post('rpc/my_tenants', {}),
    post('rpc/read_feed', { after_position: 0 }),
    post('rpc/submit_command', command()),
    post('orders', newOrder),
  ])('401: $method $path', async (request) => {
    const { status, body } = await withoutChange(() => call({ ...request, headers: anonymous }));
    expect([status, JSON.parse(body)]).toEqual([401, expect.objectContaining({ code: '42501' })]);
  });
});

describe('what PostgREST would do elsewhere is refused, and changes nothing', () => {
  test.for<[string, Call, number]>([
    ['an embedded table', { path: 'orders?select=*,memberships(*)' }, 400],
    ['an embedded table by its schema', { path: 'orders?select=*,intent.tenants(*)' }, 400],
    ['an embedded view', { path: 'orders?select=*,budgets(*)' }, 400],
    ['a hidden column', { path: 'orders?select=tenant_id' }, 400],
    ['a filter on a hidden column', { path: `orders?tenant_id=eq.${otherTenantId}` }, 400],
    ['an order by a hidden column', { path: 'orders?order=tenant_id' }, 400],
    ['an aggregate', { path: 'orders?select=total.sum()' }, 400],
    ['a plan', { path: 'orders', headers: { Accept: 'application/vnd.pgrst.plan+json; options=analyze|verbose' } }, 415],
    ['a plan as text', { path: 'orders', headers: { Accept: 'application/vnd.pgrst.plan' } }, 415],
    ['a plan of a call', post('rpc/my_tenants', {}, { Accept: 'application/vnd.pgrst.plan+json' }), 415],
    ['a command by GET', { path: `rpc/submit_command?${new URLSearchParams({ ...command(), payload: '{}' })}` }, 400],
    ['a switch of the tenant by GET', { path: `rpc/switch_tenant?tenant_id=${tenantId}` }, 405],
    ["a switch to another's tenant", post('rpc/switch_tenant', { tenant_id: otherTenantId }), 400],
    ['an argument too many', post('rpc/submit_command', { ...command(), tenant_id: otherTenantId }), 404],
    ['SQL in a filter', { path: `orders?order_id=eq.x'%20or%20true--` }, 200],
    ['SQL in a select', { path: 'orders?select=order_id%3Bselect%201' }, 400],
    ['SQL in an order', { path: 'orders?order=order_id%3Bselect%201' }, 400],
    ['U+0000 in a filter', { path: 'orders?order_id=eq.%00' }, 400],
  ])('%s', async ([, request, status]) => {
    expect((await withoutChange(() => call(request))).status).toBe(status);
  });

  test.for<[string, Call, number]>([
    ['an order that is inserted', post('orders', newOrder), 403],
    ['columns that are named', post('orders?columns=order_id,tenant_id', [{ ...newOrder, tenant_id: otherTenantId }]), 400],
    ['an upsert', post('orders?on_conflict=order_id', newOrder, { Prefer: 'resolution=merge-duplicates' }), 403],
    ['an order that is replaced', { path: `orders?order_id=eq.${newOrder.order_id}`, method: 'PUT', body: newOrder }, 405],
    ['an update', { path: 'orders?version=gt.0', method: 'PATCH', body: { version: 0 } }, 403],
    ['a deletion', { path: 'orders?version=gt.0', method: 'DELETE' }, 403],
    ['a membership that is deleted', { path: 'members?role=eq.owner', method: 'DELETE' }, 404],
  ])('%s', async ([, request, status]) => {
    expect((await withoutChange(() => call(request))).status).toBe(status);
  });
});

test.for(['count=planned', 'count=estimated', 'return=minimal, Count = planned'])(
  'a count that statistics over all tenants would tell is refused: %s',
  async (preference) => {
    const response = await call({ path: 'orders', headers: { Prefer: preference } });
    expect([response.status, response.headers.get('content-range')]).toEqual([400, null]);
    expect(await response.json()).toMatchObject({ code: 'IN422' });
  },
);

describe('what is harmless', () => {
  test('an owner reads its own order, whatever rows, roles and counts it asks for, and no other', async () => {
    const headers = { Prefer: 'count=exact', Range: '0-999999', Role: 'service_role' };
    const response = await call({ path: 'orders?select=*&limit=999999&or=(version.gte.0,version.lt.0)', headers });
    expect(response.headers.get('content-range')).toBe('0-0/1');
    expect(await response.json()).toEqual([expect.objectContaining({ order_id: ownOrderId })]);
  });

  test('Prefer: tx=rollback does not undo a command that is answered as taken', async () => {
    const body = command();
    const response = await call(post('rpc/submit_command', body, { Prefer: 'tx=rollback' }));
    expect([response.status, response.headers.get('preference-applied')]).toEqual([200, null]);
    const { rowCount } = await gateway.admin.query('select from intent.commands where command_id = $1', [body.command_id]);
    expect(rowCount).toBe(1);
  });

  test("another's and a missing id get the same answer", async () => {
    const ask = async (orderId: string, commandId: string, toTenant: string) => {
      const answers = [
        await call({ path: `orders?order_id=eq.${orderId}` }),
        await call(post('rpc/hydrate', { aggregate_type: 'order', aggregate_id: orderId })),
        await call(post('rpc/get_command', { command_id: commandId })),
        await call(post('rpc/switch_tenant', { tenant_id: toTenant })),
      ];
      return Promise.all(answers.map(async (answer) => [answer.status, await answer.text()]));
    };
    expect(await ask(otherOrderId, otherCommandId, otherTenantId)).toEqual(await ask(randomUUID(), randomUUID(), randomUUID()));
  });
});
