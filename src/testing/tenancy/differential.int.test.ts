import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../database.ts';
import { type Household, rose, thorn } from './households.ts';
import { looks, work } from './differential-calls.ts';
import { transcribe, type Call } from './transcript.ts';
import { outerWalls, takeWallsDown } from './walls.ts';

// Rose does the same in two databases. In the second one Thorn is there too, and does everything first, with the same ids.
interface World {
  readonly database: TestDatabase;
  readonly admin: pg.Client;
  readonly neighbours: readonly (Household)[];
}
let alone: World;
let beside: World;
beforeAll(async () => {
  alone = await createWorld([]);
  beside = await createWorld([thorn]);
});
afterAll(async () => {
  for (const { admin, database } of [alone, beside]) {
    await admin.end();
    await database.drop();
  }
});

async function createWorld(neighbours: World['neighbours']): Promise<World> {
  const database = await createTestDatabase();
  const admin = new pg.Client(database.adminUrl);
  await admin.connect();
  for (const { tenantId, owner, member } of [...neighbours, rose]) {
    await admin.query(`select intent.create_tenant($1, 'A household')`, [tenantId]);
    await admin.query(`select intent.add_member($1, $2, 'owner')`, [tenantId, owner]);
    await admin.query(`select intent.add_member($1, $2, 'member')`, [tenantId, member]);
  }
  return { database, admin, neighbours };
}

/** What Rose is told. */
async function play({ admin, neighbours }: World, calls: readonly Call[]): Promise<string[]> {
  const told: string[] = [];
  for (const call of calls) {
    for (const neighbour of neighbours) await transcribe(admin, call, neighbour);
    told.push(await transcribe(admin, call, rose));
  }
  return told;
}

describe('what a tenant is told', () => {
  it('is the same, byte for byte, whether or not another one is there', async () => {
    const calls = [...work, ...looks];
    const told = await play(alone, calls);
    expect(await play(beside, calls)).toEqual(told);
    // Each of the calls is one: PostgreSQL understood it.
    expect(told.filter((line) => /"code":"(42601|42703|42883|42P01|42P02)"/.test(line))).toEqual([]);
  });

  it('is not the same where a wall is down: the comparison sees it', async () => {
    const differences: string[] = [];
    const looksOfOwner = looks.filter((call) => call.as === 'owner');
    for (const table of ['budgets', 'commands', 'events', 'membership_log', 'orders', 'snapshots', 'tenants']) {
      const rebuild = await Promise.all([alone, beside].map(({ admin }) => takeWallsDown(admin, table)));
      const [without, together] = [await play(alone, looksOfOwner), await play(beside, looksOfOwner)];
      if (without.some((line, index) => line !== together[index])) differences.push(table);
      await Promise.all(rebuild.map((again) => again()));
    }
    expect(differences).toEqual(['budgets', 'commands', 'events', 'membership_log', 'orders', 'snapshots', 'tenants']);
  });

  it('is the same also after every restrictive policy is lost: the wall stands in the permissive ones too', async () => {
    for (const { admin } of [alone, beside]) {
      const walls = await outerWalls(admin);
      expect(walls.map(({ table }) => table)).toEqual(expect.arrayContaining(['commands', 'events', 'memberships', 'schedules']));
      for (const { table, policy } of walls) await admin.query(`drop policy ${policy} on intent.${table}`);
    }
    expect(await play(beside, looks)).toEqual(await play(alone, looks));
  });
});
