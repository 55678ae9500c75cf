import { generateKeyPair } from 'jose';
import { describe, expect, it } from 'vitest';
import { connectToTemporal } from '../../adapters/temporal/connection.ts';
import { startTemporal } from '../../local/temporal/start-temporal.ts';
import { createTestDatabase } from '../database.ts';
import { startMainProcess } from '../main-process.ts';
import { needs } from '../needs.ts';
import { signApiKey } from './api-keys.ts';
import { keyServerName } from './certificates.ts';
import { clusterVariables, isOnCluster } from './cluster-variables.ts';

type Changes = Readonly<Record<string, string | undefined>>;

const withoutKey = { TEMPORAL_API_KEY: undefined };
const withoutCertificate = { TEMPORAL_TLS_CLIENT_CERT_PATH: undefined, TEMPORAL_TLS_CLIENT_KEY_PATH: undefined };
const atTheNameForKeys = { ...withoutCertificate, TEMPORAL_TLS_SERVER_NAME: keyServerName };
const ofAStranger = async () => ({ TEMPORAL_API_KEY: await signApiKey((await generateKeyPair('ES256')).privateKey) });

/** What the processes are told, but for these. */
function variables(changes: Changes): Record<string, string> {
  const changed = { ...clusterVariables(), TEMPORAL_NAMESPACE: 'default', ...changes };
  return Object.fromEntries(Object.entries(changed).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** As worker and pump do, whose only settings are the environment. */
async function reach(changes: Changes): Promise<unknown> {
  const before = clusterVariables();
  const set = (environment: Record<string, string>) => {
    for (const name of Object.keys(before)) delete process.env[name];
    Object.assign(process.env, environment);
  };
  set(variables(changes));
  try {
    const { connection, probe } = await connectToTemporal();
    try {
      return await probe();
    } finally {
      await connection.close();
    }
  } finally {
    set(before);
  }
}

describe('a cluster that asks for a certificate and an API key', needs(isOnCluster, 'not on a cluster: npm run test:cluster'), () => {
  it('serves those who have both, and at a name of its own those who have the key alone', async () => {
    await expect(reach({})).resolves.toMatchObject({ namespaceInfo: { name: 'default' } });
    await expect(reach(atTheNameForKeys)).resolves.toMatchObject({ namespaceInfo: { name: 'default' } });
  });

  it('refuses the connection of those who have no certificate, or do not trust its own', async () => {
    await expect(reach(withoutCertificate)).rejects.toThrow(/GetSystemInfo|certificate|transport error/i);
    await expect(reach({ TEMPORAL_TLS_SERVER_CA_CERT_PATH: undefined })).rejects.toThrow(/GetSystemInfo|certificate|transport error/i);
  });

  it('refuses those without a key, and with one that a stranger has signed, whatever their certificate', async () => {
    const refused = /unauthorized/i;
    await expect(reach(withoutKey)).rejects.toThrow(refused);
    await expect(reach(await ofAStranger())).rejects.toThrow(refused);
    await expect(reach({ ...atTheNameForKeys, ...withoutKey })).rejects.toThrow(refused);
  });

  it('is said at the start to refuse, rather than taken', async () => {
    const start = async (changes: Changes) => startTemporal({ directory: 'unused', port: 0, uiPort: 0, log: () => {}, env: variables(changes) });
    await expect(start({})).resolves.toMatchObject({ namespace: 'default', uiUrl: null });
    await expect(start(withoutKey)).rejects.toThrow(/TEMPORAL_ADDRESS.*unauthorized/is);
    await expect(start({ TEMPORAL_NAMESPACE: 'nowhere' })).rejects.toThrow(/nowhere/);
  });

  it.each(['worker', 'command-pump'] as const)('leaves a %s with a wrong key alive, not ready, and saying why', async (name) => {
    const database = await createTestDatabase();
    const started = await startMainProcess(name, database, { ...variables(await ofAStranger()), INTENT_TASK_QUEUES: '1' });
    try {
      await expect.poll(() => started.lines.some((line) => /unauthorized|permission/i.test(JSON.stringify(line))), { timeout: 30_000 }).toBe(true);
      const answer = await started.get('/readyz');
      expect(answer?.status).toBe(503);
      expect(await answer?.json()).toMatchObject({ lacks: expect.arrayContaining(['Temporal']) as unknown });
    } finally {
      await started.stop();
    }
  });
});
