import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../database.ts';
import { type Household, type Step, take, viewOf } from './access-model.ts';
import { lookInDatabase } from './access-look.ts';
import { markOf, type Names, newNames, takeInDatabase } from './access-steps.ts';
import { takeWallsDown } from './walls.ts';

let database: TestDatabase;
let admin: pg.Client;
beforeAll(async () => {
  database = await createTestDatabase();
  admin = new pg.Client(database.adminUrl);
  await admin.connect();
});
afterAll(async () => {
  await admin.end();
  await database.drop();
});

/** Five belong to a tenant at first, the second of them to both, the last two to none. */
const userCount = 7;
const first: readonly Step[] = [
  { does: 'add', tenant: 0, user: 0, target: 0, role: 'owner' },
  { does: 'add', tenant: 0, user: 0, target: 1, role: 'member' },
  { does: 'add', tenant: 0, user: 0, target: 2, role: 'guest' },
  { does: 'add', tenant: 1, user: 3, target: 3, role: 'owner' },
  { does: 'add', tenant: 1, user: 3, target: 1, role: 'guest' },
  { does: 'add', tenant: 1, user: 3, target: 4, role: 'member' },
];

const someone = { user: fc.nat(userCount - 1), tenant: fc.nat(1) };
const target = fc.nat(userCount - 1);
const role = fc.constantFrom('owner', 'member', 'guest');
const constant = <Does extends Step['does']>(does: Does) => fc.constant(does);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ does: constant('look'), ...someone }) },
  { weight: 4, arbitrary: fc.record({ does: constant('submit'), ...someone, command: fc.nat(5), order: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ does: constant('settle'), ...someone }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constantFrom('switch', 'accept'), ...someone }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constantFrom('add', 'invite', 'changeRole'), ...someone, target, role }) },
  { weight: 2, arbitrary: fc.record({ does: constant('remove'), ...someone, target }) },
);

const holds = fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40, size: 'max' }), expectTheModelToHold);

it('whatever users of two tenants do, each sees what its membership of the moment allows, and nothing of the other tenant', async () => {
  await fc.assert(holds, { numRuns: 15 });
});

it('and where a wall is down, this is seen', async () => {
  await takeWallsDown(admin, 'orders');
  expect(await fc.check(holds, { numRuns: 15, endOnFailure: true })).toMatchObject({ failed: true });
});

const emptyHousehold: Household = { members: new Map(), commands: new Map(), events: [] };

/** Every step in the database and in the model, with the same outcome; and after each look, with the same view. */
async function expectTheModelToHold(steps: readonly Step[]): Promise<void> {
  const names = newNames(2, userCount);
  for (const tenant of names.tenants) await admin.query(`select intent.create_tenant($1, 'A household')`, [tenant]);
  const households: Household[] = [emptyHousehold, emptyHousehold];
  for (const next of [...first, ...steps]) {
    const before = households[next.tenant]!;
    const [after, outcome] = take(before, next);
    expect([next, await takeInDatabase(admin, names, before, next)]).toEqual([next, outcome]);
    households[next.tenant] = after;
    if (next.does === 'look') await expectToSeeItsOwn(names, households, next);
  }
  for (const [tenant, household] of households.entries()) await expectRows(names.tenants[tenant]!, household);
}

async function expectToSeeItsOwn(names: Names, households: readonly Household[], { user, tenant }: Step) {
  const { view, asText } = await lookInDatabase(admin, names, user, tenant);
  expect(view).toEqual(viewOf(households[tenant]!, user));
  expect(asText).not.toContain(markOf(1 - tenant));
  expect(asText).not.toContain(names.tenants[1 - tenant]);
}

async function expectRows(tenantId: string, { commands, events }: Household) {
  const { rows } = await admin.query<{ commands: number; events: number }>(
    `select (select count(*)::int from intent.commands where tenant_id = $1) as commands,
      (select count(*)::int from intent.events where tenant_id = $1) as events`,
    [tenantId],
  );
  expect(rows).toEqual([{ commands: commands.size, events: events.length }]);
}
