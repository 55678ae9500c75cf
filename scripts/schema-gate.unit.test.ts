import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { budgetCommands, budgetEvents } from '../src/domain/budget/messages.ts';
import type { RegisteredSlice } from '../src/domain/kernel/slice.ts';
import { upcast } from '../src/domain/kernel/upcast.ts';
import { findSlice, slices } from '../src/domain/registry.ts';
import { type Golden, readGolden } from './golden-files.ts';
import { findProblems, goldenNow } from './schema-gate.ts';

describe.each(slices.map((slice) => [slice.aggregateType, slice] as const))('the messages of the slice %s', (_name, slice) => {
  it('can be read in every version that was ever written', () => {
    expect(findProblems(slice, readGolden(slice))).toEqual([]);
  });

  it('are replayed: each event that was ever written is applied to an open aggregate, and leaves a state that JSON holds', () => {
    const [opening] = Object.keys(slice.events);
    const written = readGolden(slice).filter(({ type }) => Object.hasOwn(slice.events, type));
    const events = written.map(({ type, version, example }) => upcast(slice, { type, schemaVersion: version, payload: example }));
    const first = events.find((event) => event !== 'newer' && event.type === opening);
    expect(written.length).toBeGreaterThan(0);
    for (const event of events) {
      const state = [first, event].reduce<unknown>((current, next) => slice.decider.evolve(current, next as never), slice.decider.initialState);
      expect(JSON.parse(JSON.stringify(state))).toStrictEqual(state);
      expect(state).not.toEqual(slice.decider.initialState);
    }
  });
});

const budget = findSlice('budget')!;
const written = readGolden(budget);
const withLimit = (schemaVersion: number, payload: EventSchema): RegisteredSlice => ({
  ...budget,
  events: { ...budgetEvents, BudgetLimitChanged: { schemaVersion, payload } },
});
type EventSchema = RegisteredSlice['events'][string]['payload'];

const inCents = z.strictObject({ cents: z.int() });
const renamed: RegisteredSlice = { ...withLimit(2, inCents), upcasters: { BudgetLimitChanged: { 1: ({ limit }: { limit: number }) => ({ cents: limit }) } } };
const golden = (version: number, example: unknown): Golden => ({
  ...goldenNow(renamed).find(({ type }) => type === 'BudgetLimitChanged')!,
  version,
  example,
});
const renamedAsWritten = [...written, golden(2, { cents: 5 })];

describe('the gate', () => {
  it('names every golden file that a new slice, which has none yet, is still to get', () => {
    const fresh: RegisteredSlice = { ...budget, aggregateType: 'chore' };
    const problems = findProblems(fresh, readGolden(fresh));
    expect(problems).toContain('golden/BudgetOpened.v1.json is missing: run `npm run check:schemas -- --write`, and give it an example.');
  });

  it.each<[string, RegisteredSlice, readonly Golden[], RegExp]>([
    ['an event loses a field', withLimit(1, z.strictObject({})), written, /BudgetLimitChanged is not the one in .*v1.*schemaVersion 2.*upcasters.BudgetLimitChanged\[1\]/],
    ['an event has one more', withLimit(1, z.strictObject({ limit: z.int().min(0), why: z.string() })), written, /schemaVersion 2/],
    ['an event takes more than before', withLimit(1, z.strictObject({ limit: z.int() })), written, /schemaVersion 2/],
    [
      'a command takes less than before',
      { ...budget, commands: { ...budgetCommands, SpendBudget: { ...budgetCommands.SpendBudget, payload: z.strictObject({ orderId: z.uuid() }) } } },
      written,
      /SpendBudget is not the one in .*schemaVersion 2/,
    ],
    ['a new version has no upcaster', { ...renamed, upcasters: {} }, renamedAsWritten, /needs an upcaster from version 1/],
    ['a new version has no golden file', renamed, written, /BudgetLimitChanged.v2.json is missing: run/],
    ['a golden file has no example', renamed, [...written, golden(2, null)], /v2.json needs an example/],
    ['an example does not fit its own schema', renamed, [...written, golden(2, { cents: 'five' })], /v2.json does not fit .* cents/],
    ['an upcaster makes what does not fit', { ...renamed, upcasters: { BudgetLimitChanged: { 1: () => ({}) } } }, renamedAsWritten, /v1.json does not fit .* cents/],
    [
      'an upcaster fails',
      { ...renamed, upcasters: { BudgetLimitChanged: { 1: ({ cents }: { cents: number[] }) => cents.length } } },
      renamedAsWritten,
      /v1.json cannot be brought to version 2: TypeError/,
    ],
    ['the first version is forgotten', renamed, renamedAsWritten.filter(({ type, version }) => type !== 'BudgetLimitChanged' || version !== 1), /v1.json is missing: .* Restore it/],
    ['a version goes down', budget, renamedAsWritten, /v2.json is newer than the version 1/],
    ['an event is gone', { ...budget, events: { BudgetOpened: budgetEvents.BudgetOpened } }, written, /BudgetSpent.v1.json is of no message any more/],
  ])('says what to do where %s', (_change, slice, goldens, problem) => {
    expect(findProblems(slice, goldens)).toContainEqual(expect.stringMatching(problem));
  });

  it('lets a new version with its upcaster and golden file pass', () => {
    expect(findProblems(renamed, renamedAsWritten)).toEqual([]);
  });
});
