import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { importJWK, SignJWT } from 'jose';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startPostgrest, type RunningPostgrest } from '../../local/postgrest.ts';
import { until } from '../../local/process/until.ts';
import { loadSecrets } from '../../local/secrets.ts';
import { publicKeys } from '../../local/signing-keys.ts';
import { createTestDatabase, type TestDatabase } from '../database.ts';
import { chooseTestPort } from '../test-port.ts';
import { claimsIn, createHouseholds, thorn } from './households.ts';

// People reach the database through PostgREST, which has a way to ask for a plan.
let home: string;
let database: TestDatabase;
let admin: pg.Client;
let postgrest: RunningPostgrest;
let token: string;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'intent-plans-'));
  const secrets = await loadSecrets(home);
  token = await new SignJWT(claimsIn(thorn, thorn.owner))
    .setProtectedHeader({ alg: 'ES256', kid: secrets.signingKey.kid })
    .setAudience('authenticated')
    .setIssuedAt()
    .setExpirationTime('10 minutes')
    .sign(await importJWK(secrets.signingKey, 'ES256'));
  database = await createTestDatabase();
  admin = new pg.Client(database.adminUrl);
  await admin.connect();
  await createHouseholds(admin);
  postgrest = await startPostgrest({
    home,
    databaseUrl: database.urlFor('authenticator'),
    jwks: publicKeys(secrets),
    port: await chooseTestPort(),
    adminPort: await chooseTestPort(),
  });
});
afterAll(async () => {
  await postgrest?.stop();
  await admin?.end();
  await database?.drop();
  rmSync(home, { recursive: true, force: true });
});

function askForPlan(): Promise<Response> {
  const Accept = 'application/vnd.pgrst.plan+json; options=analyze';
  return fetch(`${postgrest.url}/orders`, { headers: { Authorization: `Bearer ${token}`, Accept } });
}

describe('pitfall 23: EXPLAIN ANALYZE shows removed rows', () => {
  it('so no person gets a plan', async () => {
    const refusal = await askForPlan();
    expect(refusal.status).toBe(415);
    expect(await refusal.text()).not.toContain('Removed');
  });

  it('which would count the rows of others', async () => {
    await admin.query('analyze intent.orders');
    await admin.query(`alter role authenticator in database ${database.name} set pgrst.db_plan_enabled = 'true'`);
    await admin.query(`notify pgrst, 'reload config'`);
    await until(async () => (await askForPlan()).ok, AbortSignal.timeout(10_000));
    expect(await (await askForPlan()).text()).toContain('"Rows Removed by Filter": 1');
  });
});
