import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { password, publishableKey } from '../../local/gateway/testing/test-gateway.ts';
import { StackError } from '../../local/stack-error.ts';
import { type GatewayStack, startGatewayStack } from '../edge/gateway-stack.ts';
import type { Context } from './check.ts';
import { allChecks, checkConformance } from './conformance.ts';
import { closeContext, openContext } from './session.ts';
import { readTarget, type Target } from './target.ts';

let stack: GatewayStack;
let target: Target;
let context: Context;

beforeAll(async () => {
  stack = await startGatewayStack();
  target = { url: stack.gateway.url, key: publishableKey, first: await newMember(), second: await newMember() };
  context = await openContext(target);
});

afterAll(async () => {
  await closeContext(context);
  await stack.stop();
});

async function newMember() {
  const { userId, email } = await stack.gateway.signUp(randomUUID());
  const tenantId = randomUUID();
  await stack.gateway.admin.query(`select intent.create_tenant($1, 'Rose')`, [tenantId]);
  await stack.gateway.admin.query(`select intent.add_member($1, $2, 'owner')`, [tenantId, userId]);
  return { email, password };
}

test.for(allChecks.map((check) => [check.sentence, check] as const))('%s', async ([, { run }]) => {
  await expect(run(context)).resolves.toBeUndefined();
});

test('each sentence says something else', () => {
  expect(new Set(allChecks.map(({ sentence }) => sentence)).size).toBe(allChecks.length);
});

test('a project where something does not hold is told so, sentence by sentence', async () => {
  await stack.gateway.admin.query('revoke select on api.orders from authenticated; alter function api.my_tenants() rename to my_tenants_away');
  const lines: string[] = [];
  expect(await checkConformance(target, (line) => lines.push(line))).toBeGreaterThan(0);
  expect(lines).toContainEqual(expect.stringContaining('FAILS  the Data API tells a user their tenants'));
  expect(lines).toContainEqual(expect.stringContaining('holds  the published keys verify a token'));
  await stack.gateway.admin.query('alter function api.my_tenants_away() rename to my_tenants; grant select on api.orders to authenticated');
});

const users = JSON.stringify([credentials('a'), credentials('b')]);
function credentials(name: string) {
  return { email: `${name}@gateway.example`, password: 'x' };
}

test.for([
  ['no address', { key: 'k', usersJson: users }, 'no address'],
  ['an address that is none', { url: 'project', key: 'k', usersJson: users }, 'no address'],
  ['no key', { url: 'http://a', usersJson: users }, 'no key'],
  ['a secret key', { url: 'http://a', key: 'sb_secret_x', usersJson: users }, 'secret key'],
  ['no users', { url: 'http://a', key: 'k' }, 'no users'],
  ['a file that is not there', { url: 'http://a', key: 'k', users: '/nowhere/at/all' }, 'cannot be read'],
  ['what is no JSON', { url: 'http://a', key: 'k', usersJson: 'a:b' }, 'not what they should be'],
  ['one user', { url: 'http://a', key: 'k', usersJson: JSON.stringify([credentials('a')]) }, 'not what they should be'],
] as const)('it says what is missing, and no password: %s', ([, options, words]) => {
  expect(() => readTarget(options)).toThrow(StackError);
  expect(() => readTarget(options)).toThrow(words);
});

test('of a stack.json it takes two users who share no tenant, whoever comes first', () => {
  const user = (name: string, ...tenants: string[]) => ({ ...credentials(name), tenants: tenants.map((tenantId) => ({ tenantId })) });
  // As it is seeded: the first shares one with everybody.
  const usersJson = JSON.stringify({ apiUrl: 'x', users: [user('alice', '1', '2'), user('bob', '1'), user('carol', '1'), user('dave', '2')] });
  expect(readTarget({ url: 'http://a/', key: 'k', usersJson })).toMatchObject({ url: 'http://a', first: { email: 'bob@gateway.example' }, second: { email: 'dave@gateway.example' } });
});

test('an address that nobody answers at is told in words', async () => {
  await expect(openContext({ ...target, url: 'http://127.0.0.1:1' })).rejects.toThrow('cannot be reached');
});

test('users of one tenant, without a tenant or with a wrong password are told in words', async () => {
  await expect(openContext({ ...target, second: target.first })).rejects.toThrow('the same tenant');
  const { email } = await stack.gateway.signUp(randomUUID());
  await expect(openContext({ ...target, second: { email, password } })).rejects.toThrow('names no tenant');
  await expect(openContext({ ...target, second: { email, password: 'wrong' } })).rejects.toThrow('cannot sign in');
});
