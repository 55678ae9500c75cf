import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { temporalSettings } from './connection.ts';

const directory = mkdtempSync(join(tmpdir(), 'intent-tls-'));
afterAll(() => rmSync(directory, { recursive: true }));
function file(name: string): string {
  writeFileSync(join(directory, name), name);
  return join(directory, name);
}
const bytes = (text: string) => new TextEncoder().encode(text);

describe('the settings of the connection to Temporal', () => {
  it('are a local server and its namespace where the environment says nothing', () => {
    expect(temporalSettings({})).toMatchObject({ address: '127.0.0.1:7233', namespace: 'default', connection: { address: '127.0.0.1:7233' } });
  });

  it('are Temporal Cloud with an API key: over TLS, without saying so', () => {
    const { namespace, connection } = temporalSettings({ TEMPORAL_ADDRESS: 'eu.api.temporal.io:7233', TEMPORAL_NAMESPACE: 'intent.abc12', TEMPORAL_API_KEY: 'a key' });
    expect(namespace).toBe('intent.abc12');
    expect(connection).toMatchObject({ address: 'eu.api.temporal.io:7233', apiKey: 'a key' });
    expect(connection.tls).toBeTruthy();
  });

  it('are a cluster with certificates of both sides', () => {
    const { connection } = temporalSettings({
      TEMPORAL_ADDRESS: 'temporal.example:7233',
      TEMPORAL_TLS: 'true',
      TEMPORAL_TLS_CLIENT_CERT_PATH: file('client.pem'),
      TEMPORAL_TLS_CLIENT_KEY_PATH: file('client.key'),
      TEMPORAL_TLS_SERVER_CA_CERT_PATH: file('ca.pem'),
      TEMPORAL_TLS_SERVER_NAME: 'temporal.internal',
    });
    expect(connection.tls).toMatchObject({
      serverNameOverride: 'temporal.internal',
      serverRootCACertificate: bytes('ca.pem'),
      clientCertPair: { crt: bytes('client.pem'), key: bytes('client.key') },
    });
    expect(connection).not.toHaveProperty('apiKey');
  });

  it('are refused where a certificate is not there', () => {
    expect(() => temporalSettings({ TEMPORAL_TLS: 'true', TEMPORAL_TLS_CLIENT_CERT_PATH: '/nowhere', TEMPORAL_TLS_CLIENT_KEY_PATH: '/nowhere' })).toThrow('/nowhere');
  });
});
