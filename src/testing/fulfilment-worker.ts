// `node src/testing/fulfilment-worker.ts`: a worker as a process of its own, for a test that kills it. Not src/main/worker.ts, because the
// timers of order-fulfilment, which are hours there, end within seconds here.
import pg from 'pg';
import { createOrderFulfilment } from '../domain/order-fulfilment/order-fulfilment.ts';
import { startProcessWorkers } from './fulfilment-engine.ts';

const { DATABASE_URL, SUPPLIER_URL, TEMPORAL_ADDRESS } = process.env;
await startProcessWorkers({
  temporal: { address: TEMPORAL_ADDRESS! },
  db: { worker: new pg.Pool({ connectionString: DATABASE_URL }) },
  processManager: createOrderFulfilment({ approvalSeconds: 3, deliverySeconds: 1 }),
  supplierUrl: SUPPLIER_URL!,
});
