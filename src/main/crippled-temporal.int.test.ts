import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { type GrpcProxy, startGrpcProxy } from '../testing/grpc-proxy.ts';
import { type MainProcess, startMainProcess } from '../testing/main-process.ts';
import { needs } from '../testing/needs.ts';
import { startTestTemporal } from '../testing/temporal.ts';
import { claimsOf, connect, createTenant, openBudget, submitAs } from '../testing/tenant.ts';

const temporal = await startTestTemporal();

/** What the front needs the service for, of what our processes call. */
const callsOf = {
  matching: ['DescribeTaskQueue', 'PollWorkflowTaskQueue', 'PollActivityTaskQueue'],
  history: ['DescribeWorkflowExecution', 'StartWorkflowExecution', 'ExecuteMultiOperation', 'SignalWithStartWorkflowExecution', 'RespondWorkflowTaskCompleted'],
};

describe('a Temporal whose front answers while a service behind it has no hosts', needs(temporal, 'there is no Temporal'), () => {
  let database: TestDatabase;
  let db: ReturnType<typeof connect>;
  let proxy: GrpcProxy;
  let processes: MainProcess[];
  beforeAll(async () => {
    database = await createTestDatabase();
    db = connect(database);
    proxy = await startGrpcProxy(temporal!.address);
    const env = { TEMPORAL_ADDRESS: proxy.address, INTENT_TASK_QUEUES: '2' };
    processes = await Promise.all([startMainProcess('worker', database, env), startMainProcess('command-pump', database, env)]);
    await Promise.all(processes.map(({ ready }) => ready()));
  });
  afterAll(async () => {
    await Promise.all(processes.map(({ stop }) => stop()));
    await proxy.stop();
    await db.end();
    await temporal!.stop();
  });

  const answers = (path: string) => Promise.all(processes.map(async ({ get }) => {
    const response = await get(path);
    return { status: response?.status, body: await response?.json() };
  }));

  it.each(['matching', 'history'] as const)('is not ready to worker and pump if that is %s, which both outlast, and nothing is lost', async (service) => {
    proxy.lose(callsOf[service]);
    const lacks = [`Temporal: it answers and takes no work, because its ${service} does not answer`];
    const notReady = { status: 503, body: { status: 'not ready', lacks } };
    await expect.poll(() => answers('/readyz'), { timeout: 15_000 }).toEqual([notReady, notReady]);
    expect(await answers('/healthz')).toMatchObject([{ status: 200 }, { status: 200 }]);
    const tenant = await createTenant(db.admin);
    const { commandId } = await submitAs(db.admin, claimsOf(tenant, 'owner'), openBudget('waits'));

    proxy.lose([]);
    await expect.poll(() => answers('/readyz'), { timeout: 15_000 }).toMatchObject([{ status: 200 }, { status: 200 }]);
    const statusOf = async () => (await db.admin.query<{ status: string }>('select status from intent.commands where command_id = $1', [commandId])).rows[0]?.status;
    await expect.poll(statusOf, { timeout: 60_000 }).toBe('succeeded');
  }, 120_000);
});
