import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Check } from './check.ts';
import { ask } from './session.ts';

const api = { 'accept-profile': 'api', 'content-profile': 'api' };
const codeOf = (body: unknown) => (body as { code?: unknown }).code;

export const apiChecks: readonly Check[] = [
  {
    sentence: 'the Data API tells a user their tenants, the one of the token among them',
    async run({ target, first }) {
      const { status, body } = await ask(target, '/rest/v1/rpc/my_tenants', { token: first.session.access_token, headers: api, body: {} });
      assert.equal(status, 200);
      assert.ok(JSON.stringify(body).includes(first.tenantId));
    },
  },
  {
    sentence: 'whoever is not signed in calls no function and reads no view',
    async run({ target }) {
      assert.equal((await ask(target, '/rest/v1/rpc/my_tenants', { headers: api, body: {} })).status, 401);
      assert.equal((await ask(target, '/rest/v1/orders', { headers: api })).status, 401);
    },
  },
  {
    sentence: "a user sees nothing of another one's tenant, whatever is asked for",
    async run({ target, first, second }) {
      const memberships = async (token: string) => JSON.stringify((await ask(target, '/rest/v1/rpc/members', { token, headers: api, body: {} })).body);
      assert.ok(!(await memberships(second.session.access_token)).includes(first.tenantId));
      const switched = await ask(target, '/rest/v1/rpc/switch_tenant', { token: second.session.access_token, headers: api, body: { tenant_id: first.tenantId } });
      assert.ok(switched.status >= 400 && switched.status < 500, `status ${switched.status}`);
    },
  },
  {
    sentence: 'a function that is not there is 404, in the words of PostgREST',
    async run({ target, first }) {
      const { status, body } = await ask(target, '/rest/v1/rpc/no_such_function', { token: first.session.access_token, headers: api, body: {} });
      assert.deepEqual([status, codeOf(body)], [404, 'PGRST202']);
    },
  },
  {
    sentence: 'the schema of tables and workers is not to be reached',
    async run({ target, first }) {
      const { status } = await ask(target, '/rest/v1/events', { token: first.session.access_token, headers: { 'accept-profile': 'intent' } });
      assert.equal(status, 406);
    },
  },
  {
    sentence: 'the function takes no command without a token, none that is malformed, and none for a foreign tenant',
    async run({ target, first, second }) {
      const path = '/functions/v1/command';
      const token = first.session.access_token;
      assert.deepEqual([codeOf((await ask(target, path, { body: {} })).body)], ['IN401']);
      const malformed = await ask(target, path, { token, body: '{' });
      assert.deepEqual([malformed.status, codeOf(malformed.body)], [400, 'IN422']);
      const command = { commandId: randomUUID(), type: 'OpenBudget', aggregateId: `conformance-${randomUUID()}`, payload: { name: 'none', limit: 0 } };
      const foreign = await ask(target, path, { token, body: { ...command, tenantId: second.tenantId } });
      assert.deepEqual([foreign.status, codeOf(foreign.body)], [403, 'IN403']);
    },
  },
];
