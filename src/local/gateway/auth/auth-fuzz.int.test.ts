import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hostileText } from '../../../testing/hostile-text.ts';
import { password, publishableKey, startTestGateway, type TestGateway } from '../testing/test-gateway.ts';

let gateway: TestGateway;
let token: string;
let refreshToken: string;

beforeAll(async () => {
  gateway = await startTestGateway();
  const { client } = await gateway.signUp('fuzz');
  const session = (await client.auth.getSession()).data.session!;
  token = session.access_token;
  refreshToken = session.refresh_token;
});

afterAll(() => gateway.stop());

const runs = 400;
const timeLimitMs = 5_000;
const text = hostileText(80);

/** Few addresses, so that few passwords are checked, each of which takes a while. */
const field = fc.oneof(text, fc.jsonValue(), fc.constantFrom('fuzz@gateway.example', 'nobody@gateway.example', password));
const fields = fc.dictionary(fc.constantFrom('email', 'password', 'refresh_token', '__proto__', 'scope'), field);
const body = fc.oneof(
  fields.map((value) => JSON.stringify(value)),
  fc.record({ email: fc.constant('fuzz@gateway.example'), password: text }).map((value) => JSON.stringify(value)),
  fc.record({ refresh_token: fc.oneof(text, fc.constant('made-up')) }).map((value) => JSON.stringify(value)),
  fc.uint8Array({ maxLength: 60 }),
);

/** What a header may hold; of a real token some characters are changed. */
const authorization = fc.oneof(
  fc.constant(undefined),
  fc.string({ maxLength: 60 }).map((value) => value.trim()),
  fc
    .tuple(fc.nat({ max: 600 }), fc.base64String({ maxLength: 8 }))
    .map(([at, piece]) => `Bearer ${token.slice(0, at)}${piece}${token.slice(at + 8)}`),
  fc.constantFrom('Bearer', 'Bearer ', 'Bearer ..', 'Basic YTpi'),
);
const request = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE'),
  path: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('token?grant_type=password', 'token?grant_type=refresh_token') },
    fc.constantFrom('user', 'logout?scope=local', 'logout?scope=all', 'signup', 'admin/users', 'token'),
    text.map((value) => `token?grant_type=${encodeURIComponent(value.toWellFormed())}`),
    text.map((value) => encodeURIComponent(value.toWellFormed())),
  ),
  body,
  authorization,
});

test('whatever is sent to Auth, the answer is never a fault of the server, and the session lives on', async () => {
  await fc.assert(
    fc.asyncProperty(request, async ({ method, path, body: sent, authorization: header }) => {
      const response = await fetch(`${gateway.url}/auth/v1/${path}`, {
        method,
        headers: { apikey: publishableKey, ...(header !== undefined && { authorization: header }) },
        ...(method !== 'GET' && { body: sent as BodyInit }),
      });
      await response.arrayBuffer();
      expect(response.status).toBeLessThan(500);
    }),
    { numRuns: runs, plugins: [fc.interruptAfterTimeLimit(timeLimitMs)] },
  );
  const refreshed = await gateway.client().auth.refreshSession({ refresh_token: refreshToken });
  expect(refreshed.error).toBeNull();
}, 30_000);
