import { expect, test } from 'vitest';
import { keyServerName, serverName } from './certificates.ts';
import { processConfig, processNames, type ProcessPorts, rolesOf } from './process-config.ts';

const certificates = {
  authority: 'authority.pem',
  server: { certificate: 'server.pem', key: 'server.key' },
  client: { certificate: 'client.pem', key: 'client.key' },
};
const roles = [...new Set(processNames.flatMap(rolesOf))];
const portsFrom = (port: number, of = roles): ProcessPorts =>
  Object.fromEntries(of.map((role, n) => [role, { grpc: port + 2 * n, membership: port + 2 * n + 1 }]));
const config = (own: ProcessPorts) =>
  processConfig({
    first: portsFrom(12_200),
    own,
    database: { port: 12_100, user: 'postgres', password: 'p@ss/w:rd#1' },
    certificates,
    keySet: '/somewhere/keys.json',
    dynamicConfig: 'dynamic.yaml',
  });

test.each(processNames)('%s knows every role, has ports of its own for what it runs, and listens on this machine alone', (name) => {
  const own = portsFrom(12_300, [...rolesOf(name)]);
  const { services: configured } = config(own);
  expect(Object.keys(configured)).toEqual(roles);
  for (const [role, { grpc, membership }] of Object.entries({ ...portsFrom(12_200), ...own })) {
    expect(configured[role]).toEqual({ rpc: { grpcPort: grpc, membershipPort: membership, bindOnIP: '127.0.0.1' } });
  }
});

test('the frontend asks every client for a key, and for a certificate of the authority too, but at one name', () => {
  const { tls, authorization } = config({}).global;
  const mutual = { requireClientAuth: true, clientCaFiles: ['authority.pem'] };
  expect(tls.frontend).toMatchObject({ server: mutual, hostOverrides: { [serverName]: mutual, [keyServerName]: { requireClientAuth: false } } });
  expect(authorization).toMatchObject({ authorizer: 'default', claimMapper: 'default', jwtKeyProvider: { keySourceURIs: ['file:///somewhere/keys.json'] } });
});

test('a cluster is two processes of each service', () => {
  const names = ['frontend-1', 'frontend-2', 'history-1', 'history-2', 'matching-1', 'matching-2', 'worker-1', 'worker-2'];
  expect(processNames).toEqual(names);
  expect(roles).toEqual(['frontend', 'internal-frontend', 'history', 'matching', 'worker']);
});

test('all processes of a cluster agree on the database and on the number of shards, which can never change', () => {
  const [first, other] = [config(portsFrom(12_300, ['history'])), config(portsFrom(12_400, ['matching']))];
  expect(other.persistence).toEqual(first.persistence);
  expect(first.persistence.datastores.default.sql).toMatchObject({ connectAddr: '127.0.0.1:12100', password: 'p@ss/w:rd#1' });
});
