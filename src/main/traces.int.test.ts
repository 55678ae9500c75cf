import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSupplier } from '../../examples/supplier/supplier.ts';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { type MainProcess, startMainProcess } from '../testing/main-process.ts';
import { type CollectedSpan, startOtlpCollector } from '../testing/otlp-collector.ts';
import { startTestTemporal } from '../testing/temporal.ts';
import { claimsOf, connect, createTenant, openBudget, placeOrder, queryAs, submitAs, type TestTenant } from '../testing/tenant.ts';

const temporal = await startTestTemporal();
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const clientSpanId = '00f067aa0ba902b7';
/** Not sampled: whether we keep a trace is not up to the client. */
const traceparent = `00-${traceId}-${clientSpanId}-00`;

describe.skipIf(temporal === undefined)('the trace of a request', () => {
  let database: TestDatabase;
  let db: ReturnType<typeof connect>;
  let tenant: TestTenant;
  let collector: Awaited<ReturnType<typeof startOtlpCollector>>;
  let supplier: Awaited<ReturnType<typeof startSupplier>>;
  let processes: MainProcess[];
  beforeAll(async () => {
    database = await createTestDatabase();
    db = connect(database);
    [tenant, collector, supplier] = await Promise.all([createTenant(db.admin), startOtlpCollector(), startSupplier({ port: 0 })]);
    const env = { TEMPORAL_ADDRESS: temporal!.address, INTENT_TASK_QUEUES: '1', OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, SUPPLIER_URL: supplier.url };
    processes = await Promise.all([startMainProcess('worker', database, env), startMainProcess('command-pump', database, env)]);
    await Promise.all(processes.map((each) => each.ready()));
  });
  afterAll(async () => {
    await Promise.all(processes.map((each) => each.stop()));
    collector.stop();
    await supplier.stop();
    await temporal!.stop();
    await db.end();
  });

  it('goes from the row through both processes, the process manager and the commands that it sends', async () => {
    await submitAs(db.admin, claimsOf(tenant, 'owner'), openBudget('groceries'));
    const { type, aggregateType, aggregateId, payload } = placeOrder();
    const values = [randomUUID(), type, aggregateType, aggregateId, JSON.stringify(payload), traceparent];
    await queryAs(db.admin, claimsOf(tenant, 'owner'), 'select api.submit_command($1, $2, $3, $4, $5, traceparent => $6)', values);

    const own = () => collector.spans.filter((span) => span.traceId === traceId);
    const names = () => [...new Set(own().map(({ service, name }) => `${service}: ${name}`))].toSorted();
    await expect.poll(names, { timeout: 20_000 }).toEqual([
      'intent-command-pump: dispatch ConfirmOrder',
      'intent-command-pump: dispatch PlaceOrder',
      'intent-command-pump: dispatch ReserveBudget',
      'intent-command-pump: dispatch SpendBudget',
      'intent-worker: advance order-fulfilment',
      'intent-worker: append',
      'intent-worker: call place-with-supplier',
      'intent-worker: execute ConfirmOrder',
      'intent-worker: execute PlaceOrder',
      'intent-worker: execute ReserveBudget',
      'intent-worker: execute SpendBudget',
      'intent-worker: load',
    ]);

    const executions = new Set(own().filter(({ name }) => name.startsWith('execute ')).map(({ spanId }) => spanId));
    const isStage = ({ name }: CollectedSpan) => name === 'load' || name === 'append';
    expect(own().filter((span) => isStage(span) && !executions.has(span.parentSpanId))).toEqual([]);
    expect(own().filter((span) => !isStage(span) && span.parentSpanId !== clientSpanId)).toEqual([]);
  });

  it('is told to clients with each event, and with the broadcast of it', async () => {
    const { rows: events } = await db.admin.query<{ traceparent: string }>(
      `select distinct metadata ->> 'traceparent' as traceparent from intent.events where tenant_id = $1 and aggregate_type = 'order'`,
      [tenant.tenantId],
    );
    expect(events).toEqual([{ traceparent }]);
    const { rows: broadcasts } = await db.admin.query<{ payload: object }>(`select payload from realtime.messages where topic like $1`, [`%${tenant.tenantId}%`]);
    expect(JSON.stringify(broadcasts)).toContain(traceparent);
  });

  it('stands in each line about one of its commands', () => {
    const lines = processes.flatMap((each) => each.lines).filter((line) => 'commandId' in line && line['type'] !== 'OpenBudget');
    expect(lines.length).toBeGreaterThanOrEqual(4);
    for (const line of lines) expect(line).toMatchObject({ traceId, tenantId: tenant.tenantId });
  });
});
