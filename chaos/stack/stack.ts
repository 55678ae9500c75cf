import { cpSync } from 'node:fs';
import { join } from 'node:path';
import type pg from 'pg';
import { startSupplierProcess, type SupplierProcess } from '../../src/local/supplier.ts';
import type { HostedLayout } from '../../src/testing/hosted-layout.ts';
import { type OwnDatabase, startOwnDatabase } from '../../src/testing/own-database.ts';
import { createScratchDirectory } from '../../src/testing/scratch-directory.ts';
import { startTcpProxy, type TcpProxy } from '../../src/testing/tcp-proxy.ts';
import { chooseTestPort } from '../../src/testing/test-port.ts';
import { startPooler } from '../../src/testing/pooler.ts';
import { type Service, type ServiceKind, startService } from './service.ts';
import { type ChaosTemporal, startTemporalServer } from './temporal.ts';
import { startTemporalCluster } from './temporal-cluster.ts';

type Services = readonly { readonly name: string; readonly kinds: readonly ServiceKind[] }[];

const apart: Services = [
  { name: 'pump-1', kinds: ['pump'] },
  { name: 'pump-2', kinds: ['pump'] },
  { name: 'worker-1', kinds: ['worker'] },
  { name: 'worker-2', kinds: ['worker'] },
];
const embedded: Services = [
  { name: 'worker-1', kinds: ['worker', 'pump'] },
  { name: 'worker-2', kinds: ['worker', 'pump'] },
];

/** How it differs from two pumps and two workers on a plain server. */
export interface StackOptions {
  /** The pumps inside the workers. */
  readonly isEmbedded: boolean;
  /** The database as a hosted project's. */
  readonly layout: HostedLayout | undefined;
  /** The pumps reach PostgreSQL by a pooler in session mode. */
  readonly isPooled: boolean;
  /** Temporal as a cluster of eight processes. */
  readonly isCluster: boolean;
}

export interface ChaosStack {
  readonly database: OwnDatabase;
  readonly temporal: ChaosTemporal;
  readonly services: readonly Service[];
  /** Between the clients and PostgreSQL. */
  readonly clients: TcpProxy;
  supplier(): SupplierProcess;
  restartSupplier(): Promise<void>;
  /** Every process does its work. */
  ready(): Promise<void>;
  /** Leaves no process and no file behind; the logs are copied to there first, if it is given. */
  stop(logsTo?: string): Promise<void>;
}

/**
 * Two pumps and two workers on PostgreSQL and Temporal of their own, each behind proxies. `prepare` is called once the database is
 * migrated, before they start. Throws `StackError` if the pooler is not installed.
 */
export async function startChaosStack(options: StackOptions, prepare: (admin: pg.Pool) => Promise<void>): Promise<ChaosStack> {
  const scratch = await createScratchDirectory();
  const parts: { stop(): Promise<void> }[] = [];
  const keep = <Part extends { stop(): Promise<void> }>(part: Part): Part => {
    parts.push(part);
    return part;
  };
  const stopParts = async () => {
    // Those that stand on others first.
    for (const part of parts.toReversed()) await part.stop();
  };

  try {
    const startingDatabase = startOwnDatabase(scratch.path, options.layout).then(keep);
    const startingTemporal = (options.isCluster ? startTemporalCluster : startTemporalServer)(scratch.path).then(keep);
    const [database, temporal] = await Promise.all([startingDatabase, startingTemporal]);
    await prepare(database.admin);
    const supplierPort = await chooseTestPort();
    let supplier = await startSupplierProcess(scratch.path, supplierPort);
    keep({ stop: () => supplier.stop() });
    const clients = keep(await startTcpProxy({ host: '127.0.0.1', port: database.port }));
    const pumpUrl = database.urlFor('intent_pump');
    const databaseUrls = {
      pump: options.isPooled ? await startPooler({ home: scratch.path, databaseUrls: [pumpUrl], mode: 'session' }).then(keep).then(({ through }) => through(pumpUrl)) : pumpUrl,
      worker: database.urlFor('intent_worker'),
    };
    const running = await Promise.all(
      (options.isEmbedded ? embedded : apart).map(async ({ name, kinds }) =>
        startService({
          name,
          kinds,
          home: scratch.path,
          databaseUrls,
          temporalPort: temporal.port,
          temporalEnvironment: temporal.clientEnvironment,
          supplierUrl: supplier.url,
        }),
      ),
    );
    keep({
      async stop() {
        await Promise.all(running.map((service) => service.stop()));
      },
    });
    return {
      database,
      temporal,
      services: running,
      clients,
      supplier: () => supplier,
      async restartSupplier() {
        supplier = await startSupplierProcess(scratch.path, supplierPort);
      },
      async ready() {
        await Promise.all(running.map((service) => service.ready()));
      },
      async stop(logsTo) {
        await stopParts();
        if (logsTo !== undefined) cpSync(join(scratch.path, 'logs'), logsTo, { recursive: true });
        scratch.remove();
      },
    };
  } catch (error) {
    await stopParts();
    scratch.remove();
    throw error;
  }
}
