import assert from 'node:assert/strict';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import type { Check } from './check.ts';
import { ask, type Answer, refresh, type Session, signIn } from './session.ts';

const refused = ({ status, body }: Answer) => [status, (body as { code?: unknown }).code];

export const authChecks: readonly Check[] = [
  {
    sentence: 'the published keys verify a token, and need no key of the project to be read',
    async run({ target, first }) {
      const keys = createRemoteJWKSet(new URL(`${target.url}/auth/v1/.well-known/jwks.json`));
      const { payload } = await jwtVerify(first.session.access_token, keys, { issuer: `${target.url}/auth/v1`, audience: 'authenticated' });
      assert.equal(payload['role'], 'authenticated');
    },
  },
  {
    sentence: 'a token has the claims that policies ask for, and lives ten minutes at most',
    async run({ first }) {
      const { sub, session_id, aal, tenant_role, exp = Infinity, iat = 0 } = decodeJwt(first.session.access_token);
      for (const claim of [sub, session_id, aal, tenant_role]) assert.equal(typeof claim, 'string');
      assert.ok(exp - iat <= 600, `the token lives ${exp - iat} s`);
    },
  },
  {
    sentence: 'without the key nobody signs in',
    async run({ target }) {
      assert.equal((await ask(target, '/auth/v1/token?grant_type=password', { body: {}, withKey: false })).status, 401);
    },
  },
  {
    sentence: 'a wrong password is refused with invalid_credentials, in the shape of the version that is asked for',
    async run({ target }) {
      const body = { email: target.first.email, password: 'not the password' };
      const newer = await ask(target, '/auth/v1/token?grant_type=password', { body });
      assert.deepEqual([newer.status, newer.body], [400, { code: 'invalid_credentials', message: 'Invalid login credentials' }]);
      const older = await ask(target, '/auth/v1/token?grant_type=password', { body, headers: { 'x-supabase-api-version': '' } });
      assert.deepEqual(older.body, { code: 400, error_code: 'invalid_credentials', msg: 'Invalid login credentials' });
    },
  },
  {
    sentence: 'a body that is no JSON is refused with bad_json, and an unknown grant with invalid_credentials',
    async run({ target }) {
      assert.deepEqual(refused(await ask(target, '/auth/v1/token?grant_type=password', { body: '{' })), [400, 'bad_json']);
      assert.deepEqual(refused(await ask(target, '/auth/v1/token?grant_type=none', { body: {} })), [400, 'invalid_credentials']);
    },
  },
  {
    sentence: 'a refresh keeps the session, and the same refresh token again is answered with the current one',
    async run({ target }) {
      const before = await signIn(target, target.first);
      const after = (await refresh(target, before.refresh_token)).body as Session;
      assert.notEqual(after.refresh_token, before.refresh_token);
      assert.equal(decodeJwt(after.access_token)['session_id'], decodeJwt(before.access_token)['session_id']);
      const again = (await refresh(target, before.refresh_token)).body as Session;
      assert.equal(again.refresh_token, after.refresh_token);
      await ask(target, '/auth/v1/logout?scope=local', { method: 'POST', token: after.access_token });
      assert.equal((await refresh(target, after.refresh_token)).status, 400);
    },
  },
  {
    sentence: 'an unknown refresh token is refused with refresh_token_not_found',
    async run({ target }) {
      assert.deepEqual(refused(await refresh(target, 'made-up')), [400, 'refresh_token_not_found']);
    },
  },
  {
    sentence: 'the user of a token is told, and a forged token is refused with bad_jwt',
    async run({ target, first }) {
      const token = first.session.access_token;
      const { body } = await ask(target, '/auth/v1/user', { token });
      assert.equal((body as { email?: string }).email?.toLowerCase(), target.first.email.toLowerCase());
      assert.deepEqual(refused(await ask(target, '/auth/v1/user', { token: `${token.slice(0, token.lastIndexOf('.'))}.${'A'.repeat(86)}` })), [403, 'bad_jwt']);
      assert.equal((await ask(target, '/auth/v1/user')).status, 401);
    },
  },
  {
    sentence: "what a user says of oneself is merged, and what is null goes",
    async run({ target, first }) {
      const put = async (data: object) => {
        const { body } = await ask(target, '/auth/v1/user', { method: 'PUT', token: first.session.access_token, body: { data } });
        return (body as { user_metadata?: Record<string, unknown> }).user_metadata;
      };
      assert.equal((await put({ conformance: 'was here' }))?.['conformance'], 'was here');
      assert.equal((await put({ conformance: null }))?.['conformance'], undefined);
    },
  },
  {
    sentence: 'a weak password, the same password and app_metadata are refused',
    async run({ target, second }) {
      const put = async (body: object) => refused(await ask(target, '/auth/v1/user', { method: 'PUT', token: second.session.access_token, body }));
      assert.deepEqual(await put({ password: '12345' }), [422, 'weak_password']);
      assert.deepEqual(await put({ password: target.second.password }), [422, 'same_password']);
      assert.deepEqual(await put({ app_metadata: { role: 'admin' } }), [403, 'not_admin']);
    },
  },
  {
    sentence: 'signing out ends this session and no other',
    async run({ target, second }) {
      const { access_token: token } = await signIn(target, target.second);
      assert.deepEqual(refused(await ask(target, '/auth/v1/logout?scope=nowhere', { method: 'POST', token })), [400, 'validation_failed']);
      assert.equal((await ask(target, '/auth/v1/logout?scope=local', { method: 'POST', token })).status, 204);
      assert.deepEqual(refused(await ask(target, '/auth/v1/user', { token })), [403, 'session_not_found']);
      assert.equal((await ask(target, '/auth/v1/user', { token: second.session.access_token })).status, 200);
    },
  },
  {
    sentence: 'health and settings are told',
    async run({ target }) {
      assert.equal((await ask(target, '/auth/v1/health')).status, 200);
      assert.equal(typeof ((await ask(target, '/auth/v1/settings')).body as { disable_signup?: unknown }).disable_signup, 'boolean');
    },
  },
];
