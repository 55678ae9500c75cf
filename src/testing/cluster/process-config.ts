import { pathToFileURL } from 'node:url';
import { type Certificates, keyServerName, serverName } from './certificates.ts';

export const services = ['frontend', 'history', 'matching', 'worker'] as const;
export type ServiceName = (typeof services)[number];

const processesOfAService = 2;
/** `frontend-1`, `frontend-2`, `history-1` … */
export const processNames: readonly string[] = services.flatMap((service) => Array.from({ length: processesOfAService }, (_, n) => `${service}-${n + 1}`));

/** The cluster's own workers are asked for no key, and so have a door of their own; a process that is a frontend is this too. */
const innerFrontend = 'internal-frontend';
type RoleName = ServiceName | typeof innerFrontend;

export interface RolePorts {
  readonly grpc: number;
  readonly membership: number;
}
export type ProcessPorts = Readonly<Partial<Record<RoleName, RolePorts>>>;

/** What the process of this name has to run. */
export function rolesOf(processName: string): readonly RoleName[] {
  const service = services.find((each) => processName.startsWith(`${each}-`))!;
  return service === 'frontend' ? ['frontend', innerFrontend] : [service];
}

export interface ProcessConfigOptions {
  /** Of one process of each service: a process finds the others by this list, and their ports by itself. */
  readonly first: ProcessPorts;
  /** Of the roles of this process. */
  readonly own: ProcessPorts;
  readonly database: { readonly port: number; readonly user: string; readonly password: string };
  readonly certificates: Certificates;
  /** A file: the public keys of those who may sign API keys. */
  readonly keySet: string;
  /** A file. */
  readonly dynamicConfig: string;
}

/** Of all processes of a cluster; it can never be changed afterwards. */
const historyShards = 16;
const connectionsOfAStore = 8;

/**
 * The configuration of one process of a cluster, as the server reads it from a file (YAML, and so JSON as well): everything on 127.0.0.1.
 * The frontend serves those alone who have an API key, and a certificate of the authority, but for the name that asks for the key only.
 */
export function processConfig(options: ProcessConfigOptions) {
  const { first, own, certificates, keySet, dynamicConfig } = options;
  const disabled = { history: { state: 'disabled' }, visibility: { state: 'disabled' } };
  return {
    log: { stdout: true, level: 'warn' },
    persistence: {
      numHistoryShards: historyShards,
      defaultStore: 'default',
      visibilityStore: 'visibility',
      datastores: { default: store('temporal', options), visibility: store('temporal_visibility', options) },
    },
    global: {
      membership: { maxJoinDuration: '30s', broadcastAddress: '127.0.0.1' },
      tls: tls(certificates),
      authorization: {
        jwtKeyProvider: { keySourceURIs: [pathToFileURL(keySet).href] },
        permissionsClaimName: 'permissions',
        authorizer: 'default',
        claimMapper: 'default',
      },
    },
    services: Object.fromEntries(Object.entries({ ...first, ...own }).map(([role, ports]) => [role, listening(ports)])),
    clusterMetadata: {
      enableGlobalNamespace: false,
      failoverVersionIncrement: 10,
      masterClusterName: 'active',
      currentClusterName: 'active',
      clusterInformation: {
        active: { enabled: true, initialFailoverVersion: 1, rpcName: 'frontend', rpcAddress: `127.0.0.1:${first.frontend!.grpc}` },
      },
    },
    dcRedirectionPolicy: { policy: 'noop' },
    archival: disabled,
    namespaceDefaults: { archival: disabled },
    dynamicConfigClient: { filepath: dynamicConfig, pollInterval: '10s' },
  };
}

function listening({ grpc, membership }: RolePorts) {
  return { rpc: { grpcPort: grpc, membershipPort: membership, bindOnIP: '127.0.0.1' } };
}

function store(databaseName: string, { database }: ProcessConfigOptions) {
  const connections = { maxConns: connectionsOfAStore, maxIdleConns: connectionsOfAStore, maxConnLifetime: '1h' };
  const { port, user, password } = database;
  return { sql: { pluginName: 'postgres12', databaseName, connectAddr: `127.0.0.1:${port}`, connectProtocol: 'tcp', user, password, ...connections } };
}

function tls({ authority, server }: Certificates) {
  const identity = { certFile: server.certificate, keyFile: server.key };
  const mutual = { ...identity, requireClientAuth: true, clientCaFiles: [authority] };
  return { frontend: { server: mutual, hostOverrides: { [serverName]: mutual, [keyServerName]: { ...identity, requireClientAuth: false } } } };
}
