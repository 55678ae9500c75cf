import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSupplier } from '../../examples/supplier/supplier.ts';
import { type EdgeStack, openBudget, startEdgeStack } from '../testing/edge/edge-stack.ts';
import { type MainProcess, startMainProcess } from '../testing/main-process.ts';
import { needs } from '../testing/needs.ts';
import { type CollectedSpan, startOtlpCollector } from '../testing/otlp-collector.ts';
import { startTestTemporal } from '../testing/temporal.ts';
import { placeOrder } from '../testing/tenant.ts';

const temporal = await startTestTemporal();
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const clientSpanId = '00f067aa0ba902b7';
/** Not sampled: whether we keep a trace is not up to the client. */
const traceparent = `00-${traceId}-${clientSpanId}-00`;

describe('the trace of a request', needs(temporal, 'there is no Temporal'), () => {
  let edge: EdgeStack;
  let collector: Awaited<ReturnType<typeof startOtlpCollector>>;
  let supplier: Awaited<ReturnType<typeof startSupplier>>;
  let processes: MainProcess[];
  let commandId: string;
  beforeAll(async () => {
    [collector, supplier] = await Promise.all([startOtlpCollector(), startSupplier({ port: 0 })]);
    const otel = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
    edge = await startEdgeStack({ otel });
    const env = { TEMPORAL_ADDRESS: temporal!.address, INTENT_TASK_QUEUES: '1', SUPPLIER_URL: supplier.url, ...otel };
    processes = await Promise.all([startMainProcess('worker', edge.testDatabase, env), startMainProcess('command-pump', edge.testDatabase, env)]);
    await Promise.all(processes.map((each) => each.ready()));
  }, 60_000);
  afterAll(async () => {
    await Promise.all(processes.map((each) => each.stop()));
    collector.stop();
    await supplier.stop();
    await temporal!.stop();
    await edge.stop();
  });

  it('goes from the function through row, pump, worker, the process manager and the commands that it sends', async () => {
    const budget = { ...openBudget(), aggregateId: 'groceries' };
    expect((await edge.post(budget)).status).toBe(202);
    const { type, aggregateId, payload } = placeOrder();
    commandId = randomUUID();
    expect((await edge.post({ commandId, type, aggregateId, payload }, { traceparent })).status).toBe(202);

    const own = () => collector.spans.filter((span) => span.traceId === traceId);
    const names = () => [...new Set(own().map(({ service, name }) => `${service}: ${name}`))].toSorted();
    await expect.poll(names, { timeout: 20_000 }).toEqual([
      'intent-command-pump: dispatch ConfirmOrder',
      'intent-command-pump: dispatch PlaceOrder',
      'intent-command-pump: dispatch ReserveBudget',
      'intent-command-pump: dispatch SpendBudget',
      'intent-function: submit PlaceOrder',
      'intent-worker: advance order-fulfilment',
      'intent-worker: append',
      'intent-worker: call place-with-supplier',
      'intent-worker: execute ConfirmOrder',
      'intent-worker: execute PlaceOrder',
      'intent-worker: execute ReserveBudget',
      'intent-worker: execute SpendBudget',
      'intent-worker: load',
    ]);

    const [submission] = own().filter(({ name }) => name === 'submit PlaceOrder');
    expect(submission).toMatchObject({ parentSpanId: clientSpanId, kind: 2 });
    expect(submission!.attributes).toEqual({
      'http.request.method': 'POST',
      'http.response.status_code': 202,
      'intent.tenant_id': edge.tenantId,
      'intent.command_id': commandId,
    });
    const executions = new Set(own().filter(({ name }) => name.startsWith('execute ')).map(({ spanId }) => spanId));
    const isStage = ({ name }: CollectedSpan) => name === 'load' || name === 'append';
    expect(own().filter((span) => isStage(span) && !executions.has(span.parentSpanId))).toEqual([]);
    expect(own().filter((span) => !isStage(span) && span !== submission && span.parentSpanId !== submission!.spanId)).toEqual([]);
  });

  it('is told to clients with each event, and with the broadcast of it', async () => {
    const submission = collector.spans.find(({ name }) => name === 'submit PlaceOrder')!;
    const followed = `00-${traceId}-${submission.spanId}-01`;
    const { rows: events } = await edge.database.query<{ traceparent: string }>(
      `select distinct metadata ->> 'traceparent' as traceparent from intent.events where tenant_id = $1 and aggregate_type = 'order'`,
      [edge.tenantId],
    );
    expect(events).toEqual([{ traceparent: followed }]);
    const { rows: broadcasts } = await edge.database.query<{ payload: object }>(`select payload from realtime.messages where topic like $1`, [`%${edge.tenantId}%`]);
    expect(JSON.stringify(broadcasts)).toContain(followed);
  });

  it('is a failed span of the function where nothing behind it answers, without what was sent', async () => {
    edge.upstream.serveRest(null);
    const command = { ...openBudget(), payload: { name: 'Sup3r-secret-name', limit: 1 } };
    expect((await edge.post(command)).status).toBe(503);
    const span = () => collector.spans.find(({ attributes }) => attributes['intent.command_id'] === command.commandId);
    await expect.poll(span).toMatchObject({ name: 'submit OpenBudget', parentSpanId: '', status: { code: 2 }, attributes: { 'error.type': 'IN503' } });
    expect(JSON.stringify(collector.spans)).not.toContain('Sup3r');
  });

  it('stands in each line about one of its commands', () => {
    const lines = processes.flatMap((each) => each.lines).filter((line) => 'commandId' in line && line['type'] !== 'OpenBudget');
    expect(lines.length).toBeGreaterThanOrEqual(4);
    for (const line of lines) expect(line).toMatchObject({ traceId, tenantId: edge.tenantId });
  });
});
