import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appendTo, emptyModel, isRefusal, versionOf, withCommand, type AppendModel, type AppendResult } from '../../testing/append-model.ts';
import { answerOrRefusal, append, misnumbered, noted, type Append } from '../../testing/appends.ts';
import { createTestDatabase } from '../../testing/database.ts';
import { connect, createTenant } from '../../testing/tenant.ts';

let db: ReturnType<typeof connect>;
beforeAll(async () => {
  db = connect(await createTestDatabase());
});
afterAll(() => db.end());

/** For searching and for making what was found smaller; then the test says what it has. */
const longestMs = 10_000;

const small = (max: number) => fc.nat({ max });

/** In numbers that each run resolves: to one of its streams, a distance from the stream's version, one of its commands. */
const anyAppend = fc.record({
  stream: small(2),
  expected: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.constant(null), fc.constantFrom(-1, 1)),
  events: fc.oneof({ weight: 8, arbitrary: fc.integer({ min: 1, max: 3 }) }, fc.constant(0)),
  command: fc.option(small(9), { freq: 2 }),
});
type AnyAppend = typeof anyAppend extends fc.Arbitrary<infer Value> ? Value : never;

const anyStep = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('submit'), stream: small(2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reject'), command: small(9) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('append'), what: anyAppend }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('catch up'), what: anyAppend }) },
);
type AnyStep = typeof anyStep extends fc.Arbitrary<infer Value> ? Value : never;

/** One tenant, and the model of its log. Each step is done in both, and their answers compared. */
async function createRun() {
  const { tenantId } = await createTenant(db.admin);
  const streams = [randomUUID(), randomUUID(), randomUUID()];
  let model: AppendModel = emptyModel;
  let notes = 0;

  function resolve({ stream, expected, events, command }: AnyAppend): Append {
    const version = versionOf(model, streams[stream]!);
    const commandIds = [...model.commands.keys()];
    return {
      aggregateType: 'order',
      aggregateId: streams[stream]!,
      expectedVersion: expected === null ? null : Math.max(0, version + expected),
      events: Array.from({ length: events }, () => noted((notes += 1))),
      // The number after the last stands for a command that does not exist.
      ...(command === null ? {} : { commandId: commandIds[command % (commandIds.length + 1)] ?? randomUUID() }),
    };
  }

  const steps = {
    async submit({ stream }: { stream: number }) {
      const [commandId, aggregateId] = [randomUUID(), streams[stream]!];
      await db.worker.query(`select intent.submit_system_command($1, $2, 'RejectOrder', 'order', $3, '{"reason": "x"}', null, null)`, [tenantId, commandId, aggregateId]);
      model = withCommand(model, commandId, { aggregateId });
    },
    async reject({ command }: { command: number }) {
      const open = [...model.commands].filter(([, { end }]) => end === undefined);
      if (open.length === 0) return;
      const [commandId, { aggregateId }] = open[command % open.length]!;
      await db.worker.query(`select intent.reject_command($1, $2, 'NOT_ALLOWED', 'no', null)`, [tenantId, commandId]);
      model = withCommand(model, commandId, { aggregateId, end: 'rejected' });
    },
    async append({ what }: { what: AnyAppend }) {
      const resolved = resolve(what);
      const [after, expected] = appendTo(model, resolved);
      expect(await answerOrRefusal(append(db.worker, tenantId, resolved))).toEqual(expected);
      model = after;
    },
    async 'catch up'({ what }: { what: AnyAppend }) {
      const resolved = resolve(what);
      const [after, result] = appendTo(model, resolved);
      expect(await answerOrRefusal(appendOrCatchUp(tenantId, resolved))).toEqual(caughtUp(model, resolved, result));
      model = after;
    },
  };

  /** The whole log and every command, as the database has them and as the model says. */
  async function compare() {
    const events = await db.admin.query(
      `select position::int, aggregate_id as "aggregateId", version::int, payload -> 'note' as note, metadata ->> 'commandId' as "commandId"
       from intent.events where tenant_id = $1 order by position`, [tenantId]);
    expect(events.rows).toEqual(model.events);
    const commands = await db.admin.query('select command_id as "commandId", status, outcome - $2::text[] as outcome from intent.commands where tenant_id = $1 order by 1',
      [tenantId, ['code', 'message', 'details']]);
    expect(commands.rows).toEqual(settled(model).toSorted((a, b) => a.commandId.localeCompare(b.commandId)));
  }

  return { take: (step: AnyStep) => steps[step.kind](step as never), compare };
}

async function appendOrCatchUp(tenantId: string, { aggregateId, expectedVersion, events, commandId }: Append): Promise<unknown> {
  const { rows } = await db.worker.query<{ answer: { missed?: { version: number; position: number }[] } }>(
    'select intent.append_or_catch_up($1, $2, $3, $4, $5, $6) as answer', [tenantId, 'order', aggregateId, expectedVersion, JSON.stringify(events), commandId ?? null]);
  const { missed, ...appended } = rows[0]!.answer;
  return missed === undefined ? appended : { missed: missed.map(({ version, position }) => ({ version, position })) };
}

/** What append_or_catch_up says if append_events returns or refuses so. */
function caughtUp({ events }: AppendModel, { aggregateId, expectedVersion }: Append, result: AppendResult): unknown {
  if (!isRefusal(result)) return { lastVersion: result.lastVersion, duplicate: result.duplicate };
  if (result.code !== 'IN001') return result;
  const missed = events.filter((event) => event.aggregateId === aggregateId && event.version > expectedVersion!);
  return { missed: missed.map(({ version, position }) => ({ version, position })) };
}

/** Each command as its row says it; a rejection without its words. */
function settled({ commands }: AppendModel) {
  return [...commands].map(([commandId, { aggregateId, end }]) => {
    if (end === undefined) return { commandId, status: 'pending', outcome: null };
    if (end === 'rejected') return { commandId, status: 'rejected', outcome: {} };
    const { duplicate: _, ...numbers } = end;
    return { commandId, status: 'succeeded', outcome: { aggregateType: 'order', aggregateId, ...numbers } };
  });
}

describe('appends in any order, for commands, repeated and refused', () => {
  it('leave exactly the log that the rules say', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { maxLength: 20 }), async (taken) => {
        const run = await createRun();
        for (const step of taken) await run.take(step);
        await run.compare();
      }),
      { numRuns: 60, plugins: [fc.interruptAfterTimeLimit(longestMs)] },
    );
    expect(await misnumbered(db.admin)).toEqual([]);
  }, longestMs * 2);
});
