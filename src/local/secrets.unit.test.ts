import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { importJWK, jwtVerify, SignJWT } from 'jose';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { needs } from '../testing/needs.ts';
import { loadSecrets } from './secrets.ts';
import { publicKeys } from './signing-keys.ts';
import { StackError } from './stack-error.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'intent-secrets-'));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

it('makes secrets at the first start and keeps them', async () => {
  const first = await loadSecrets(directory);
  expect(await loadSecrets(directory)).toEqual(first);
});

it('makes other secrets for another directory', async () => {
  const other = mkdtempSync(join(tmpdir(), 'intent-secrets-'));
  const [one, two] = [await loadSecrets(directory), await loadSecrets(other)];
  rmSync(other, { recursive: true });
  expect(one.postgresPassword).not.toBe(two.postgresPassword);
  expect(one.signingKey.d).not.toBe(two.signingKey.d);
});

it('lets nobody else read them', needs(process.platform !== 'win32', 'Windows has no file modes'), async () => {
  await loadSecrets(directory);
  expect(statSync(join(directory, 'secrets.json')).mode & 0o777).toBe(0o600);
});

it('refuses a file that is damaged, and says what to do', async () => {
  await loadSecrets(directory);
  writeFileSync(join(directory, 'secrets.json'), '{"postgresPassword":');
  const error = await loadSecrets(directory).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(StackError);
  expect((error as StackError).remedy).toContain('--fresh');
});

it('publishes the key that verifies what the signing key signs, without its private part', async () => {
  const secrets = await loadSecrets(directory);
  const { keys } = publicKeys(secrets);
  const token = await new SignJWT({}).setProtectedHeader({ alg: 'ES256' }).sign(await importJWK(secrets.signingKey, 'ES256'));
  await jwtVerify(token, await importJWK(keys[0]!, 'ES256'));
  expect(keys[0]).not.toHaveProperty('d');
});
