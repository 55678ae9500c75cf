import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { importJWK, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase } from '../testing/database.ts';
import type { TestDatabase } from '../testing/database.ts';
import { queryOnce } from '../testing/query-once.ts';
import { choosePort } from './ports.ts';
import { startPostgrest } from './postgrest.ts';
import type { RunningPostgrest } from './postgrest.ts';
import { loadSecrets } from './secrets.ts';
import type { Secrets } from './secrets.ts';
import { publicKeys } from './signing-keys.ts';

let home: string;
let secrets: Secrets;
let database: TestDatabase;
let postgrest: RunningPostgrest;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'intent-postgrest-'));
  secrets = await loadSecrets(home);
  database = await createTestDatabase();
  postgrest = await startPostgrest({
    home,
    databaseUrl: database.urlFor('authenticator'),
    jwks: publicKeys(secrets),
    port: await choosePort(56401),
    adminPort: await choosePort(56402),
  });
});

afterAll(async () => {
  await postgrest?.stop();
  await database?.drop();
  rmSync(home, { recursive: true, force: true });
});

async function tokenFor(audience: string): Promise<string> {
  return new SignJWT({ role: 'authenticated' })
    .setProtectedHeader({ alg: 'ES256', kid: secrets.signingKey.kid })
    .setSubject(randomUUID())
    .setAudience(audience)
    .setIssuedAt()
    .setExpirationTime('1 minute')
    .sign(await importJWK(secrets.signingKey, 'ES256'));
}

function get(path: string, token?: string): Promise<Response> {
  return fetch(`${postgrest.url}/${path}`, token === undefined ? {} : { headers: { Authorization: `Bearer ${token}` } });
}

describe('startPostgrest', () => {
  it('lets a token of our key read the views of api', async () => {
    const response = await get('orders', await tokenFor('authenticated'));
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual([]);
  });

  it('refuses the same without a token', async () => {
    const response = await get('orders');
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ code: '42501' });
  });

  it('refuses a token for another audience', async () => {
    expect((await get('orders', await tokenFor('somebody-else'))).status).toBe(401);
  });

  it('shows no other schema', async () => {
    const response = await fetch(`${postgrest.url}/commands`, {
      headers: { Authorization: `Bearer ${await tokenFor('authenticated')}`, 'Accept-Profile': 'intent' },
    });
    expect(response.status).toBe(406);
  });

  it('learns of a new function when it is told to reload', async () => {
    await queryOnce(
      database.adminUrl,
      `create function api.answer() returns int language sql stable as 'select 42';
       grant execute on function api.answer() to authenticated;
       notify pgrst, 'reload schema'`,
    );
    const token = await tokenFor('authenticated');
    await expect.poll(async () => (await get('rpc/answer', token)).text(), { timeout: 10_000 }).toBe('42');
  });
});
