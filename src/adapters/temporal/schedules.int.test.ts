import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase } from '../../testing/database.ts';
import { startProcessWorkers } from '../../testing/fulfilment-engine.ts';
import { needs } from '../../testing/needs.ts';
import { claimsOf, connect, createTenant, queryAs, type TestTenant } from '../../testing/tenant.ts';
import { connectToTestTemporal, startTestTemporal } from '../../testing/temporal.ts';
import { createScheduleStore } from '../postgres/schedule-store.ts';
import { systemClock } from '../system/clock.ts';
import type { TemporalConnection } from './connection.ts';
import { temporalScheduleId } from './schedules.ts';
import { syncSchedules } from './schedules-sync.ts';
import type { scheduledCommandWorkflow } from './workflows/index.ts';

const log = pino({ level: process.env['TEST_LOG_LEVEL'] ?? 'silent' });
const temporal = await startTestTemporal();
/** Never during the tests, unless they trigger it. */
const newYear = '0 0 1 1 *';

describe('schedules, kept in step with Temporal', needs(temporal, 'there is no Temporal'), () => {
  let db: ReturnType<typeof connect>;
  let connected: TemporalConnection;
  let workers: Awaited<ReturnType<typeof startProcessWorkers>>;
  let sync: ReturnType<typeof startSync>;
  let tenant: TestTenant;
  beforeAll(async () => {
    const database = await createTestDatabase();
    db = connect(database);
    connected = await connectToTestTemporal(temporal!, log);
    workers = await startProcessWorkers({ temporal: temporal!, db });
    tenant = await createTenant(db.admin);
    sync = startSync();
  });
  afterAll(async () => {
    await sync.stop();
    await workers.stop();
    await connected.connection.close();
    await temporal!.stop();
    await db.end();
  });

  function startSync() {
    const stopping = new AbortController();
    const store = createScheduleStore({ pool: db.worker });
    const syncing = syncSchedules({ client: connected.client, sharedQueues: 1, store, clock: systemClock, log, intervalMs: 50 }, stopping.signal);
    return {
      async stop() {
        stopping.abort();
        await syncing;
      },
    };
  }

  const asOwner = (statement: string, values: readonly unknown[]) => queryAs(db.admin, claimsOf(tenant, 'owner'), statement, values);
  const schedule = (scheduleId: string, cron = newYear) =>
    asOwner(`select api.schedule_command($1, $2, 'OpenBudget', 'budget', 'food-{month}-{uuid}', '{"name": "Food {month}", "limit": 40000}', 'Europe/Berlin')`, [
      scheduleId,
      cron,
    ]);
  const drop = (scheduleId: string) => asOwner('select api.drop_schedule($1)', [scheduleId]);
  const handleOf = (scheduleId: string) => connected.client.schedule.getHandle(temporalScheduleId({ ...tenant, scheduleId }));
  const stateOf = async (scheduleId: string) => (await handleOf(scheduleId).describe().catch(() => undefined))?.state;
  const expectState = (scheduleId: string, paused: boolean, note: unknown) =>
    expect.poll(() => stateOf(scheduleId), { timeout: 10_000 }).toMatchObject({ paused, note });
  async function pausedBecause(scheduleId: string): Promise<string | null | undefined> {
    const { rows } = await db.admin.query<{ because: string | null }>(
      'select paused_because as because from intent.schedules where tenant_id = $1 and schedule_id = $2',
      [tenant.tenantId, scheduleId],
    );
    return rows[0]?.because;
  }
  async function commands() {
    const { rows } = await db.admin.query<{ command_id: string; aggregate_id: string; name: string }>(
      `select command_id, aggregate_id, payload ->> 'name' as name from intent.commands where tenant_id = $1`,
      [tenant.tenantId],
    );
    return rows;
  }

  it('an occasion is one command, with the occasion in its id and its payload, also where the run is repeated', async () => {
    await schedule('monthly');
    await expectState('monthly', false, `${newYear} Europe/Berlin, on intent-commands-0 with weight 1`);
    await handleOf('monthly').trigger();
    await expect.poll(commands, { timeout: 10_000 }).toHaveLength(1);
    const month = new Intl.DateTimeFormat('sv', { timeZone: 'Europe/Berlin', year: 'numeric', month: '2-digit' }).format(new Date());
    const [first] = await commands();
    expect(first).toMatchObject({ aggregate_id: `food-${month}-${first!.command_id}`, name: `Food ${month}` });

    const { recentActions } = (await handleOf('monthly').describe()).info;
    const { workflow } = recentActions[0]!.action;
    expect(workflow.workflowId).toMatch(new RegExp(`^${tenant.tenantId}/schedule/monthly-`));
    const { typedSearchAttributes } = await connected.client.workflow.getHandle(workflow.workflowId).describe();
    await connected.client.workflow.execute<typeof scheduledCommandWorkflow>('scheduledCommandWorkflow', {
      workflowId: 'repeated',
      taskQueue: 'intent-commands-0',
      args: [{ tenantId: tenant.tenantId, scheduleId: 'monthly' }],
      typedSearchAttributes: typedSearchAttributes.getAll().filter(({ key }) => key.name === 'TemporalScheduledStartTime'),
    });
    expect(await commands()).toEqual([first]);
  });

  it("a run has its tenant's fairness key and weight, and a change of the weight is followed", async () => {
    await db.operator.query('select intent.set_isolation($1, fairness_weight => 3)', [tenant.tenantId]);
    await expectState('monthly', false, expect.stringContaining('with weight 3'));
    await schedule('fair');
    await expectState('fair', false, expect.stringContaining('with weight 3'));
    await handleOf('fair').trigger();
    const startedRuns = async () => (await handleOf('fair').describe()).info.recentActions;
    await expect.poll(startedRuns, { timeout: 10_000 }).toHaveLength(1);
    const { workflowId } = (await startedRuns())[0]!.action.workflow;
    expect((await connected.client.workflow.getHandle(workflowId).describe()).priority).toMatchObject({ fairnessKey: tenant.tenantId, fairnessWeight: 3 });
  });

  it('a change, and an end, are followed', async () => {
    await schedule('changing');
    await expectState('changing', false, expect.stringContaining(newYear));
    await schedule('changing', '0 0 2 1 *');
    await expectState('changing', false, expect.stringContaining('0 0 2 1 *'));
    await drop('changing');
    await expect.poll(() => stateOf('changing'), { timeout: 10_000 }).toBeUndefined();
  });

  it('what Temporal refuses is paused, with the reason, until it is mended', async () => {
    // The database refuses this one, but not before the migration that reads cron expressions.
    const spoil = () => db.admin.query(`update intent.schedules set cron = '0 99 1 1 *', changed_at = now() where schedule_id = 'refused'`);
    await schedule('refused');
    await spoil();
    await expect.poll(() => pausedBecause('refused'), { timeout: 10_000 }).toContain('Hour is not in range');
    await schedule('refused');
    await expectState('refused', false, expect.stringContaining(newYear));
    await spoil();
    await expectState('refused', true, expect.stringContaining('paused: '));
  });

  it('what has changed while no worker was there is followed by the next, and nothing else is touched', async () => {
    await schedule('stays');
    await schedule('ends');
    await expectState('stays', false, expect.stringContaining(newYear));
    await expectState('ends', false, expect.stringContaining(newYear));
    await connected.client.schedule.create({
      scheduleId: 'of-somebody-else',
      spec: { cronExpressions: [newYear] },
      action: { type: 'startWorkflow', workflowType: 'other', taskQueue: 'other' },
    });
    const listed = async () => {
      const ids: string[] = [];
      for await (const { scheduleId } of connected.client.schedule.list()) ids.push(scheduleId);
      return ids;
    };
    await expect.poll(listed, { timeout: 10_000 }).toEqual(expect.arrayContaining(['of-somebody-else', handleOf('ends').scheduleId, handleOf('stays').scheduleId]));
    const { lastUpdatedAt } = (await handleOf('stays').describe()).info;

    await sync.stop();
    await drop('ends');
    sync = startSync();
    await expect.poll(() => stateOf('ends'), { timeout: 10_000 }).toBeUndefined();
    expect((await handleOf('stays').describe()).info.lastUpdatedAt).toEqual(lastUpdatedAt);
    expect(await listed()).toContain('of-somebody-else');
  });

  it('of a member who was removed it is paused at its next occasion, and sends nothing', async () => {
    await schedule('orphaned');
    await expectState('orphaned', false, expect.stringContaining(newYear));
    const before = await commands();
    await db.admin.query(`select intent.add_member($1, gen_random_uuid(), 'owner')`, [tenant.tenantId]);
    await db.admin.query(`update intent.memberships set status = 'removed' where tenant_id = $1 and user_id = $2`, [tenant.tenantId, tenant.members.owner]);
    await handleOf('orphaned').trigger();
    await expectState('orphaned', true, expect.stringContaining('paused: who scheduled it is no longer a member'));
    expect(await commands()).toEqual(before);
  });
});
