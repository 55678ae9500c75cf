import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import type { PoolClient } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerOrRefusal, noted } from '../../testing/appends.ts';
import { createTestDatabase } from '../../testing/database.ts';
import { createQueueModel, type QueuedCommand } from '../../testing/queue-model.ts';
import { connect, createTenant } from '../../testing/tenant.ts';

let db: ReturnType<typeof connect>;
let tenantIds: string[];
beforeAll(async () => {
  db = connect(await createTestDatabase());
  tenantIds = (await Promise.all([1, 2].map(() => createTenant(db.admin)))).map(({ tenantId }) => tenantId);
});
afterAll(() => db.end());

/** For searching and for making what was found smaller; then the test says what it has. */
const longestMs = 10_000;

const anyCommand = fc.nat({ max: 11 });
const anyStep = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('submit'), tenant: fc.nat({ max: 1 }), aggregate: fc.nat({ max: 1 }), later: fc.boolean(), held: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('endSubmission'), commits: fc.boolean() }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('claim'), limit: fc.integer({ min: 1, max: 5 }), pumps: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('expire'), command: anyCommand }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('becomeTimely'), command: anyCommand }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('report'), as: fc.constantFrom('mark_dispatched', 'release_command'), command: anyCommand, stale: fc.boolean() }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('settle'), as: fc.constantFrom('succeeded', 'rejected', 'failed'), command: anyCommand }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('retry'), command: anyCommand }) },
);
type AnyStep = typeof anyStep extends fc.Arbitrary<infer Value> ? Value : never;

const settlements = {
  succeeded: ({ tenantId, aggregateId, commandId }: QueuedCommand) =>
    db.worker.query('select intent.append_events($1, $2, $3, null, $4, $5)', [tenantId, 'order', aggregateId, JSON.stringify([noted()]), commandId]),
  rejected: ({ tenantId, commandId }: QueuedCommand) =>
    db.worker.query(`select intent.reject_command($1, $2, 'NOT_ALLOWED', 'no', null)`, [tenantId, commandId]),
  failed: ({ tenantId, commandId }: QueuedCommand) => db.worker.query(`select intent.fail_command($1, $2, '{"name": "Bug"}')`, [tenantId, commandId]),
};

async function claimed(limit: number) {
  const { rows } = await db.pump.query<{ command_id: string; fencing_token: string }>(`select * from intent.claim_commands('pump', $1, '1 hour')`, [limit]);
  return rows;
}

/**
 * With the locks of what was refused let go: PostgreSQL tells the client first and takes the transaction back then, and a claim
 * that comes in between skips the row.
 */
async function refusalOf(settling: Promise<unknown>): Promise<string | undefined> {
  const code = (await answerOrRefusal(settling.then(() => undefined)))?.code;
  if (code !== undefined) await db.admin.query('select from intent.commands for update');
  return code;
}

/** An empty queue, and the model of it. Each step is done in both, and the whole queue compared. */
async function createRun() {
  await db.admin.query('truncate intent.commands');
  const model = createQueueModel();
  const aggregateIds = [randomUUID(), randomUUID()];
  let moment = 0;
  let held: { client: PoolClient; command: QueuedCommand } | undefined;

  const pick = (index: number, from: QueuedCommand[] = model.visible()) => (from.length === 0 ? undefined : from[index % from.length]);
  const named = (id: string) => model.commands.find(({ commandId }) => commandId === id);

  const steps = {
    /** `held`: its transaction stays open for a while, so an older command may appear after a younger one has been claimed. */
    async submit(step: { tenant: number; aggregate: number; later: boolean; held: boolean }) {
      const command: QueuedCommand = {
        tenantId: tenantIds[step.tenant]!, aggregateId: aggregateIds[step.aggregate]!, commandId: randomUUID(),
        due: (moment += 1), visible: true, timely: !step.later, status: 'pending', claim: undefined, fencingToken: 0,
      };
      const client = await db.worker.connect();
      const isHeld = step.held && held === undefined;
      if (isHeld) await client.query('begin');
      await client.query(`select intent.submit_system_command($1, $2, 'RejectOrder', 'order', $3, '{"reason": "x"}', null, null, $4)`,
        [command.tenantId, command.commandId, command.aggregateId, step.later ? new Date(Date.now() + 3_600_000) : null]);
      model.commands.push(command);
      if (isHeld) {
        command.visible = false;
        held = { client, command };
      } else {
        client.release();
      }
    },
    async endSubmission({ commits }: { commits: boolean }) {
      if (held === undefined) return;
      const { client, command } = held;
      held = undefined;
      await client.query(commits ? 'commit' : 'rollback');
      client.release();
      command.visible = commits;
      if (!commits) model.commands.splice(model.commands.indexOf(command), 1);
    },
    async claim({ limit, pumps }: { limit: number; pumps: number }) {
      const rows = (await Promise.all(Array.from({ length: pumps }, () => claimed(limit)))).flat();
      const commands = rows.map(({ command_id }) => named(command_id)!);
      // Pumps that race may each miss what another one has locked; alone, a pump must be fair too.
      expect(model.problemsOf(commands, limit * pumps, pumps === 1)).toEqual([]);
      for (const command of commands) Object.assign(command, { claim: { leased: true }, fencingToken: command.fencingToken + 1 });
      expect(rows.map(({ fencing_token }) => Number(fencing_token))).toEqual(commands.map(({ fencingToken }) => fencingToken));
    },
    /** As time would do it. */
    async expire({ command: index }: { command: number }) {
      const command = pick(index, model.visible().filter(({ claim, status }) => claim !== undefined && status === 'pending'));
      if (command === undefined) return;
      await db.admin.query(`update intent.commands set claimed_until = clock_timestamp() where command_id = $1`, [command.commandId]);
      command.claim = { leased: false };
    },
    async becomeTimely({ command: index }: { command: number }) {
      const command = pick(index, model.visible().filter(({ timely }) => !timely));
      if (command === undefined) return;
      await db.admin.query(`update intent.commands set execute_at = clock_timestamp() where command_id = $1`, [command.commandId]);
      command.timely = true;
      command.due = (moment += 1);
    },
    async report({ as, command: index, stale }: { as: string; command: number; stale: boolean }) {
      const command = pick(index);
      if (command === undefined) return;
      const { tenantId, commandId, fencingToken, status, claim: current } = command;
      const { rows } = await db.pump.query<{ done: boolean }>(`select intent.${as}($1, $2, $3) as done`, [tenantId, commandId, fencingToken - (stale ? 1 : 0)]);
      const holds = !stale && status === 'pending' && current !== undefined;
      expect(rows[0]!.done).toBe(holds);
      if (holds && as === 'mark_dispatched') command.status = 'dispatched';
      else if (holds) command.claim = undefined;
    },
    async settle({ as, command: index }: { as: keyof typeof settlements; command: number }) {
      const command = pick(index);
      if (command === undefined) return;
      // Anyone who repeats a settlement gets its first result.
      const mayEndSo = model.isOpen(command) || command.status === as;
      expect(await refusalOf(settlements[as](command))).toBe(mayEndSo ? undefined : 'IN410');
      if (mayEndSo) command.status = as;
    },
    async retry({ command: index }: { command: number }) {
      const command = pick(index, model.visible().filter(({ status }) => status === 'failed')) ?? pick(index);
      if (command === undefined) return;
      const retrying = db.operator.query('select intent.retry_command($1, $2)', [command.tenantId, command.commandId]);
      expect(await refusalOf(retrying)).toBe(command.status === 'failed' ? undefined : 'IN410');
      if (command.status === 'failed') Object.assign(command, { status: 'pending', claim: undefined });
    },
  };

  async function take(step: AnyStep) {
    await steps[step.kind](step as never);
    const { rows } = await db.admin.query('select command_id as "commandId", status, fencing_token::int as "fencingToken" from intent.commands order by 1');
    const visible = model.visible().map(({ commandId, status, fencingToken }) => ({ commandId, status, fencingToken }));
    expect(rows).toEqual(visible.toSorted((a, b) => a.commandId.localeCompare(b.commandId)));
  }

  /** When pumps have died, times have come and workers have finished: everything can be claimed, one round after the other. */
  async function drain() {
    const open = () => model.visible().filter(model.isOpen);
    await steps.endSubmission({ commits: true });
    for (const command of open()) if (command.status === 'dispatched') await settle(command);
    while (model.commands.some(({ timely }) => !timely)) await steps.becomeTimely({ command: 0 });
    while (open().some(({ claim: current }) => current?.leased)) await expireFirst();
    while (open().length > 0) {
      await steps.claim({ limit: 100, pumps: 1 });
      for (const command of open()) if (command.claim !== undefined) await settle(command);
    }
    async function settle(command: QueuedCommand) {
      await settlements.rejected(command);
      command.status = 'rejected';
    }
    async function expireFirst() {
      const leased = model.visible().filter(({ claim: current, status }) => current !== undefined && status === 'pending');
      await steps.expire({ command: leased.findIndex(({ claim: current }) => current!.leased) });
    }
  }

  async function end() {
    await steps.endSubmission({ commits: false });
  }

  return { take, drain, end };
}

describe('the queue, whatever is submitted, claimed, reported, settled, retried and expires, in any order', () => {
  it('gives each command of an aggregate in its turn, never two at a time, obeys the newest claim only, and forgets none', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { maxLength: 40, size: 'max' }), async (taken) => {
        const run = await createRun();
        try {
          for (const step of taken) await run.take(step);
          await run.drain();
        } finally {
          await run.end();
        }
      }),
      { numRuns: 60, plugins: [fc.interruptAfterTimeLimit(longestMs)] },
    );
  }, longestMs * 2);
});
