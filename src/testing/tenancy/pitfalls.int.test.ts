import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../database.ts';
import { createHouseholds } from './households.ts';
import { play } from './pitfall.ts';
import { pitfallsOfClaims } from './pitfalls-of-claims.ts';
import { pitfallsOfPolicies } from './pitfalls-of-policies.ts';
import { pitfallsOfRoles } from './pitfalls-of-roles.ts';
import { pitfallsOfSideChannels } from './pitfalls-of-side-channels.ts';

const pitfalls = [...pitfallsOfRoles, ...pitfallsOfClaims, ...pitfallsOfPolicies, ...pitfallsOfSideChannels];

/** What spans several transactions, sessions or programs has tests of its own in this folder. */
const testedApart = [8, 9, 23, 24];

let database: TestDatabase;
let admin: pg.Client;
beforeAll(async () => {
  database = await createTestDatabase();
  admin = new pg.Client(database.adminUrl);
  await admin.connect();
  await createHouseholds(admin);
});
afterAll(async () => {
  await admin.end();
  await database.drop();
});

describe('gives nothing away, and would without its guard:', () => {
  it.each(pitfalls.map((pitfall) => [pitfall.number, pitfall.name, pitfall] as const))('pitfall %i: %s', async (_, __, pitfall) => {
    expect(await play(admin, pitfall, true)).toBe(pitfall.guarded);
    expect(await play(admin, pitfall, false)).toBe(pitfall.unguarded);
  });
});

it('tries each of the 34 pitfalls', () => {
  const tried = new Set([...pitfalls.map(({ number }) => number), ...testedApart]);
  expect([...tried].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 34 }, (_, index) => index + 1));
});
