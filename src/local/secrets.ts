import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import { z } from 'zod';
import { loginRoles } from './login-roles.ts';
import { writePrivateFile } from './private-file.ts';
import { StackError } from './stack-error.ts';

const password = z.string().min(16);

const secretsSchema = z.object({
  /** Of the superuser `postgres`. */
  postgresPassword: password,
  rolePasswords: z.record(z.enum(loginRoles), password),
  /** Of every seeded user. */
  demoPassword: password,
  /** Signs access tokens: a private ES256 key. */
  signingKey: z.object({
    kty: z.literal('EC'),
    crv: z.literal('P-256'),
    x: z.string(),
    y: z.string(),
    d: z.string(),
    alg: z.literal('ES256'),
    use: z.literal('sig'),
    kid: z.string(),
  }),
  publishableKey: z.string().startsWith('sb_publishable_'),
});

export type Secrets = z.infer<typeof secretsSchema>;

/** The secrets of one local stack, in `secrets.json` (mode 0600): made at its first start, at random, and kept. */
export async function loadSecrets(directory: string): Promise<Secrets> {
  const path = join(directory, 'secrets.json');
  if (existsSync(path)) return readSecrets(path);
  const secrets = await makeSecrets();
  writePrivateFile(path, `${JSON.stringify(secrets, null, 2)}\n`);
  return secrets;
}

function readSecrets(path: string): Secrets {
  try {
    return secretsSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    throw new StackError(
      `${path} cannot be read as the secrets of a stack.`,
      'Restore it, or begin anew with `npm start -- --fresh` (this deletes the local data).',
      { cause },
    );
  }
}

async function makeSecrets(): Promise<Secrets> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(privateKey);
  return secretsSchema.parse({
    postgresPassword: randomText(),
    rolePasswords: Object.fromEntries(loginRoles.map((role) => [role, randomText()])),
    demoPassword: randomText(),
    signingKey: { ...jwk, alg: 'ES256', use: 'sig', kid: await calculateJwkThumbprint(jwk) },
    publishableKey: `sb_publishable_${randomText()}`,
  });
}

function randomText(): string {
  return randomBytes(18).toString('base64url');
}
