import { cpSync } from 'node:fs';
import { join } from 'node:path';
import type pg from 'pg';
import { startSupplierProcess, type SupplierProcess } from '../../src/local/supplier.ts';
import { type OwnDatabase, startOwnDatabase } from '../../src/testing/own-database.ts';
import { createScratchDirectory } from '../../src/testing/scratch-directory.ts';
import { startTcpProxy, type TcpProxy } from '../../src/testing/tcp-proxy.ts';
import { chooseTestPort } from '../../src/testing/test-port.ts';
import { type Service, type ServiceKind, startService } from './service.ts';
import { type ChaosTemporal, startTemporalServer } from './temporal.ts';

const services: readonly { readonly name: string; readonly kind: ServiceKind }[] = [
  { name: 'pump-1', kind: 'pump' },
  { name: 'pump-2', kind: 'pump' },
  { name: 'worker-1', kind: 'worker' },
  { name: 'worker-2', kind: 'worker' },
];

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
  /** Leaves no process and no file behind; the logs are copied to there first, where it is given. */
  stop(logsTo?: string): Promise<void>;
}

/**
 * Two pumps and two workers on PostgreSQL and Temporal of their own, each behind proxies. `prepare` is called once the database is
 * migrated, before they start.
 */
export async function startChaosStack(prepare: (admin: pg.Pool) => Promise<void>): Promise<ChaosStack> {
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
    const startingDatabase = startOwnDatabase(scratch.path).then(keep);
    const startingTemporal = startTemporalServer(scratch.path).then(keep);
    const [database, temporal] = await Promise.all([startingDatabase, startingTemporal]);
    await prepare(database.admin);
    const supplierPort = await chooseTestPort();
    let supplier = await startSupplierProcess(scratch.path, supplierPort);
    keep({ stop: () => supplier.stop() });
    const clients = keep(await startTcpProxy({ host: '127.0.0.1', port: database.port }));
    const running = await Promise.all(
      services.map(async ({ name, kind }) => {
        const databaseUrl = database.urlFor(kind === 'pump' ? 'intent_pump' : 'intent_worker');
        return startService({ name, kind, home: scratch.path, databaseUrl, temporalPort: temporal.port, supplierUrl: supplier.url });
      }),
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
