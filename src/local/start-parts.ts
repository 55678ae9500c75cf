import { join } from 'node:path';
import { allowedOrigins } from './allowed-origins.ts';
import { cacheDirectory } from './cache-directory.ts';
import { startEdgeFunction } from './edge-function.ts';
import { startGateway } from './gateway/gateway.ts';
import { freePlanDeliveriesPerSecond } from './gateway/realtime/limits.ts';
import { startLocalDatabase } from './local-database.ts';
import type { LocalDatabase } from './local-database.ts';
import type { Part, Parts } from './parts.ts';
import { startPostgrest } from './postgrest.ts';
import type { Secrets } from './secrets.ts';
import { publicKeys } from './signing-keys.ts';
import type { StackInfo } from './stack-info.ts';
import type { StackPorts } from './stack-ports.ts';
import { startSupplierProcess } from './supplier.ts';
import { startTemporal } from './temporal/start-temporal.ts';
import type { RunningTemporal } from './temporal/start-temporal.ts';
import { startWorkerProcess } from './worker-process.ts';

export interface PartsContext {
  readonly parts: Parts;
  readonly directory: string;
  readonly ports: StackPorts;
  readonly secrets: Secrets;
  readonly log: (line: string) => void;
  /** Called when the stack takes commands already, and the engine that is to execute them is not there yet. */
  readonly accepting: (info: StackInfo) => void;
}

/** Starts every part as soon as what it stands on is there. Throws the first error; what runs by then is in `parts`. */
export async function startParts(context: PartsContext): Promise<StackInfo> {
  let engine: Pick<StackInfo, 'engine' | 'temporal'> = { engine: 'starting' };
  const startingEngine = startEngine(context).then((temporal) => {
    engine = temporal === undefined ? { engine: 'inline' } : { engine: 'temporal', temporal: describeTemporal(temporal) };
    return temporal;
  });
  const startingDatabase = startDatabase(context);
  const startingRest = Promise.all([
    startingDatabase,
    startFunction(context),
    startSupplier(context),
    startingDatabase.then((migrated) => startApi(context, migrated)),
  ]).then(([database]) => {
    if (engine.engine === 'starting') context.accepting(describeStack(context, database, engine));
    return database;
  });
  const [database] = await Promise.all([
    startingRest,
    Promise.all([startingDatabase, startingEngine]).then((both) => startWorker(context, ...both)),
  ]);
  return describeStack(context, database, engine);
}

function startDatabase({ parts, directory, ports, secrets, log }: PartsContext): Promise<LocalDatabase> {
  return parts.start({
    name: 'PostgreSQL',
    ports: [ports.database],
    start: () => startLocalDatabase({ directory: join(directory, 'postgres'), port: ports.database, secrets, log }),
    where: ({ port }) => `127.0.0.1:${port}, migrated`,
  });
}

/** `undefined` if no Temporal can be had and the inline engine serves. */
async function startEngine({ parts, directory, ports, log }: PartsContext): Promise<RunningTemporal | undefined> {
  const { temporal } = await parts.start<Part & { temporal: RunningTemporal | undefined }>({
    name: 'Temporal',
    ports: [ports.temporal, ports.temporalUi],
    start: async (tell) => {
      const options = { directory: join(directory, 'temporal'), port: ports.temporal, uiPort: ports.temporalUi, log, tell };
      const server = await startTemporal(options);
      return { temporal: server, ...(server?.exited && { exited: server.exited }), stop: async () => server?.stop() };
    },
    where: (part) => part.temporal?.address ?? 'none: the inline engine',
  });
  return temporal;
}

function startFunction({ parts, directory, ports, secrets, log }: PartsContext): Promise<Part> {
  return parts.start({
    name: 'Edge Function',
    ports: [ports.edgeFunction],
    start: () =>
      startEdgeFunction({
        home: directory,
        port: ports.edgeFunction,
        supabaseUrl: localUrl(ports.api),
        publishableKey: secrets.publishableKey,
        allowedOrigins,
        cacheDirectory: cacheDirectory(),
        log,
      }),
    where: ({ url }) => url,
  });
}

async function startApi({ parts, directory, ports, secrets, log }: PartsContext, database: LocalDatabase): Promise<void> {
  const postgrest = await parts.start({
    name: 'PostgREST',
    ports: [ports.postgrest, ports.postgrestAdmin],
    start: () =>
      startPostgrest({
        home: directory,
        databaseUrl: database.urlFor('authenticator'),
        jwks: publicKeys(secrets),
        port: ports.postgrest,
        adminPort: ports.postgrestAdmin,
      }),
    where: ({ url }) => url,
  });
  await parts.start({
    name: 'Gateway',
    ports: [ports.api],
    start: () =>
      startGateway({
        port: ports.api,
        authDatabaseUrl: database.urlFor('supabase_auth_admin'),
        realtimeDatabaseUrl: database.urlFor('supabase_realtime_admin'),
        signingKey: secrets.signingKey,
        publishableKey: secrets.publishableKey,
        postgrestUrl: postgrest.url,
        functionUrl: localUrl(ports.edgeFunction),
        allowedOrigins,
        limitAddresses: process.env['INTENT_HOSTED_LIMITS'] === '1',
        realtime: { maxDeliveriesPerSecond: process.env['INTENT_HOSTED_LIMITS'] === '1' ? freePlanDeliveriesPerSecond : null },
        log,
      }),
    where: ({ url }) => url,
  });
}

/** Who the example orders from. */
function startSupplier({ parts, directory, ports }: PartsContext): Promise<Part> {
  return parts.start({
    name: 'Supplier',
    ports: [ports.supplier],
    start: () => startSupplierProcess(directory, ports.supplier),
    where: ({ url }) => url,
  });
}

function startWorker(context: PartsContext, database: LocalDatabase, temporal: RunningTemporal | undefined): Promise<Part> {
  const { parts, directory, ports, log } = context;
  return parts.start({
    name: 'Worker and pump',
    ports: [ports.workerHealth],
    start: () =>
      startWorkerProcess({
        home: directory,
        databaseUrl: database.urlFor('intent_worker'),
        pumpDatabaseUrl: database.urlFor('intent_pump'),
        temporal,
        healthPort: ports.workerHealth,
        supplierUrl: localUrl(ports.supplier),
        log,
      }),
    where: () => `${localUrl(ports.workerHealth)}/readyz`,
  });
}

function describeStack({ ports, secrets }: PartsContext, { url, users }: LocalDatabase, engine: Pick<StackInfo, 'engine' | 'temporal'>): StackInfo {
  return { apiUrl: localUrl(ports.api), publishableKey: secrets.publishableKey, databaseUrl: url, ...engine, users };
}

function describeTemporal({ address, namespace, uiUrl }: RunningTemporal) {
  return { address, namespace, uiUrl };
}

function localUrl(port: number): string {
  return `http://127.0.0.1:${port}`;
}
