import { Client, type ConnectionOptions } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import type { Logger } from '../../ports/logger.ts';
import { findMissingServices } from './missing-services.ts';

export interface TemporalConnection {
  readonly connection: NativeConnection;
  readonly client: Client;
  readonly namespace: string;
  readonly address: string;
  /** Rejects if the server does not serve the namespace now. */
  probe(): Promise<unknown>;
  /** Behind the front that answers: what is missing for tasks on these queues. Rejects if the server does not serve the namespace. */
  missingServices(taskQueues: readonly string[]): Promise<readonly string[]>;
}

/** A server that does not answer by then is as good as one that is away. */
export const probeDeadlineMs = 2_000;

/**
 * As the environment says (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS…), so that a cluster or Temporal Cloud is
 * configuration only. Throws if the settings contradict each other or name a file that is not there.
 */
export function temporalSettings(environment?: Record<string, string>) {
  const { connectionOptions, namespace = 'default' } = loadClientConnectConfig(environment && { overrideEnvVars: environment, disableFile: true });
  const { address = '127.0.0.1:7233', tls, apiKey, metadata } = connectionOptions as ConnectionOptions & { apiKey?: string };
  const connection = {
    address,
    ...(tls === undefined || tls === null ? {} : { tls }),
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(metadata === undefined ? {} : { metadata }),
  };
  return { address, namespace, connection };
}

/** Client and Workers share the connection, which eager starts need. */
export async function connectToTemporal(): Promise<TemporalConnection> {
  const { address, namespace, connection: options } = temporalSettings();
  const connection = await NativeConnection.connect(options);
  const client = new Client({ connection, namespace });
  const probe = () => client.withDeadline(Date.now() + probeDeadlineMs, () => client.workflowService.describeNamespace({ namespace }));
  const missingServices = (taskQueues: readonly string[]) => findMissingServices(client, namespace, taskQueues);
  return { connection, client, namespace, address, probe, missingServices };
}

/**
 * Before the first connection. Temporal's own lines go to our log. Signals stay with our own shutdown, which drains the pump
 * before the Workers.
 */
export function installTemporalRuntime(log: Logger): void {
  Runtime.install({
    shutdownSignals: [],
    // Else its native part writes lines of its own, which are no JSON, between ours.
    telemetryOptions: { logging: { filter: { core: 'WARN', other: 'ERROR' }, forward: {} } },
    logger: new DefaultLogger('WARN', ({ level, message, meta = {} }) => {
      const { error, ...fields } = meta as { error?: unknown };
      log[level === 'ERROR' ? 'error' : 'warn']({ ...fields, err: error }, message);
    }),
  });
}
