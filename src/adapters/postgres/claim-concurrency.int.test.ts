import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, onTestFailed } from 'vitest';
import { append, noted } from '../../testing/appends.ts';
import { createTestDatabase } from '../../testing/database.ts';
import { createRandom, newSeed } from '../../testing/random.ts';
import { connect, createTenant } from '../../testing/tenant.ts';

interface Claimed {
  readonly tenant_id: string;
  readonly command_id: string;
  readonly aggregate_id: string;
  readonly fencing_token: string;
}

/** Moments count what all pumps do, in the order in which this process has seen it. */
interface Submitted {
  readonly aggregateId: string;
  readonly order: number;
  /** Infinity until it is. */
  acknowledged: number;
  /** Infinity until somebody sets out to settle it. */
  ended: number;
}

let db: ReturnType<typeof connect>;
beforeAll(async () => {
  db = connect(await createTestDatabase());
});
afterAll(() => db.end());

const commandsToSubmit = 120;
const pumps = 4;
/** So short that some end while their pump is still at work. */
const leases = ['5 milliseconds', '1 minute'];

describe('pumps that race, while commands arrive and leases end', () => {
  it('keep an aggregate to one command at a time, in order, and end every command once', async () => {
    const seed = newSeed();
    onTestFailed(() => console.log(`seed ${seed}`));
    const tenantIds = (await Promise.all([1, 2, 3].map(() => createTenant(db.admin)))).map(({ tenantId }) => tenantId);
    const aggregateIds = [randomUUID(), randomUUID()];
    const submitted = new Map<string, Submitted>();
    const inFlight = new Map<string, string>();
    const problems: string[] = [];
    let moment = 0;
    let ended = 0;
    let hasFailed = false;

    async function submit(): Promise<void> {
      const random = createRandom(seed);
      for (let order = 0; order < commandsToSubmit; order += 1) {
        const [commandId, aggregateId] = [randomUUID(), aggregateIds[random.below(aggregateIds.length)]!];
        const tenantId = tenantIds[random.below(tenantIds.length)]!;
        const command = { aggregateId: `${tenantId}/${aggregateId}`, order, acknowledged: Infinity, ended: Infinity };
        submitted.set(commandId, command);
        await db.worker.query(`select intent.submit_system_command($1, $2, 'RejectOrder', 'order', $3, '{"reason": "x"}', null, null)`, [tenantId, commandId, aggregateId]);
        command.acknowledged = moment += 1;
      }
    }

    async function pump(name: number): Promise<void> {
      const random = createRandom(seed + 1 + name);
      while (ended < commandsToSubmit && !hasFailed) {
        const asked = (moment += 1);
        const { rows } = await db.pump.query<Claimed>('select * from intent.claim_commands($1, $2, $3)', [`pump ${name}`, 1 + random.below(4), leases[random.below(leases.length)]]);
        for (const row of rows) noteClaim(row, asked);
        await Promise.all(rows.map((row) => execute(row, random.below(4))));
      }
    }

    function noteClaim({ command_id }: Claimed, asked: number): void {
      const { aggregateId, order, ended: alreadyEnded } = submitted.get(command_id)!;
      // Another pump, whose lease had run out, was faster: this claim is older than what has happened since.
      if (alreadyEnded < Infinity) return;
      const other = inFlight.get(aggregateId) ?? command_id;
      if (other !== command_id) problems.push(`${command_id} is claimed while ${other} is in flight`);
      inFlight.set(aggregateId, command_id);
      for (const [earlierId, earlier] of submitted) {
        const isOvertaken = earlier.aggregateId === aggregateId && earlier.order < order && earlier.acknowledged < asked && earlier.ended === Infinity;
        if (isOvertaken) problems.push(`${command_id} is claimed before ${earlierId}`);
      }
    }

    function land({ command_id }: Claimed): void {
      const { aggregateId } = submitted.get(command_id)!;
      if (inFlight.get(aggregateId) === command_id) inFlight.delete(aggregateId);
    }

    /** Gives it back or ends it, with or without a mark. It lands here first, because the others may claim the next one at once. */
    async function execute(row: Claimed, choice: number): Promise<void> {
      const { tenant_id, command_id, fencing_token } = row;
      const report = [tenant_id, command_id, fencing_token];
      if (choice === 0) {
        land(row);
        const { rows } = await db.pump.query<{ done: boolean }>('select intent.release_command($1, $2, $3) as done', report);
        if (!rows[0]!.done) await settle(row);
        return;
      }
      if (choice === 1) await db.pump.query('select intent.mark_dispatched($1, $2, $3)', report);
      await settle(row);
    }

    async function settle(row: Claimed): Promise<void> {
      const { tenant_id, command_id, aggregate_id } = row;
      land(row);
      const command = submitted.get(command_id)!;
      command.ended = Math.min(command.ended, (moment += 1));
      const { duplicate } = await append(db.worker, tenant_id, {
        aggregateType: 'order', aggregateId: aggregate_id, expectedVersion: null, events: [noted(command_id)], commandId: command_id,
      });
      if (!duplicate) ended += 1;
    }

    await Promise.all([submit(), ...Array.from({ length: pumps }, (_, name) => pump(name))]).catch((error: unknown) => {
      hasFailed = true;
      throw error;
    });
    expect(problems).toEqual([]);
    const { rows } = await db.admin.query<{ note: string }>(`select payload ->> 'note' as note from intent.events`);
    expect(rows.map(({ note }) => note).toSorted()).toEqual([...submitted.keys()].toSorted());
  });
});
