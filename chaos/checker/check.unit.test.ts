import { describe, expect, it } from 'vitest';
import { check } from './check.ts';
import type { EventRow, Evidence } from './evidence.ts';
import { soundEvidence, withChanged, withReplaced } from './planted.ts';

const accepted = (status: string, outcome: unknown) => ({ kind: 'accepted', status, outcome }) as const;
const applied = (change: (events: readonly EventRow[]) => readonly EventRow[]) =>
  withReplaced('followers', 0, (follower) => [{ ...follower, applied: change(follower.applied) }]);

/** What was planted, and the name under which it has to be found. */
const planted: readonly [what: string, found: string, evidence: Evidence][] = [
  ['a lost command', 'A: acknowledged command without a row', withReplaced('commands', 5, () => [])],
  ['a command that never ends', 'A: acknowledged command without an outcome', withChanged('commands', 5, { status: 'dispatched', outcome: null })],
  ['an outcome that changes', 'A: two outcomes', withChanged('submissions', 2, { answers: [accepted('rejected', { code: 'CONFLICT' })] })],
  ['two rows of one command', 'B: command settled twice', withReplaced('commands', 5, (row) => [row, row])],
  ['an effect of a rejected command', 'B: effect without an outcome', withChanged('commands', 4, { status: 'rejected', outcome: { code: 'CONFLICT' } })],
  ['an effect of an unknown command', 'B: effect without an outcome', withReplaced('commands', 4, () => [])],
  ['a lost event', 'B: outcome without an effect', withReplaced('events', 4, () => [])],
  ['a doubled event', 'B: effect doubled', withReplaced('events', 4, (event) => [event, { ...event, position: 6, version: 3 }])],
  ['an effect on another stream', 'B: effect elsewhere than its outcome says', withChanged('events', 4, { aggregateId: 'order-2', version: 1 })],
  ['a hole in the positions', 'C: hole in the positions', withChanged('events', 4, { position: 6 })],
  ['a hole in a stream', 'C: hole in the versions', withChanged('events', 4, { version: 3 })],
  ['one position for two events', 'C: position doubled', withChanged('events', 4, { position: 4 })],
  ['one version for two events', 'C: version doubled', withChanged('events', 4, { version: 1 })],
  ['two events in each other’s place', 'C: swap', withReplaced('events', 2, (event) => [{ ...event, position: 4 }, { ...event, version: 3, position: 3 }])],
  ['a follower that misses an event', 'D: follower lost an event', applied((events) => events.toSpliced(2, 1))],
  ['a follower that is behind', 'D: follower lost an event', applied((events) => events.slice(0, 4))],
  ['a follower that applies an event twice', 'D: follower applied an event twice', applied((events) => events.toSpliced(2, 0, events[1]!))],
  ['a follower that applies another event', 'D: follower applied another event', applied((events) => events.with(2, { ...events[2]!, type: 'BudgetSpent' }))],
  ['a follower ahead of the log', 'D: follower applied what was not committed', applied((events) => [...events, { ...events[4]!, position: 6 }])],
  ['an order whose row is behind', 'D: read model differs from its events', withChanged('orders', 0, { status: 'placed', version: 1 })],
  ['a budget whose row is wrong', 'D: read model differs from its events', withChanged('budgets', 0, { spent: 1_400 })],
  ['a share that is gone', 'D: read model differs from its events', withReplaced('shares', 0, () => [])],
  ['a reservation that outlives its order', "D: reservation differs from the order's status", withChanged('shares', 0, { reserved: 700, spent: 0 })],
  ['money spent on a cancelled order', "D: reservation differs from the order's status", withChanged('orders', 0, { status: 'cancelled' })],
  ['a budget beyond its limit', 'D: budget overdrawn', withChanged('budgets', 0, { limit: 600 })],
  ['a command in another tenant', 'E: foreign command', withChanged('commands', 5, { tenantId: 'tenant-2' })],
  ['a command from another tenant’s user', 'E: foreign sender', withChanged('commands', 5, { actorUserId: 'user-2' })],
  ['an event in another tenant', 'E: foreign event', withChanged('events', 4, { tenantId: 'tenant-2' })],
  ['an order of another tenant’s user', 'E: foreign row', withChanged('orders', 0, { placedBy: 'user-2' })],
  ['an event shown to another tenant', 'E: foreign event at a client', applied((events) => events.with(1, { ...events[1]!, tenantId: 'tenant-2' }))],
  ['a command that waits', 'F: command stuck', withChanged('commands', 5, { status: 'pending', outcome: null })],
  ['a dead letter', 'F: command dead-lettered', withChanged('commands', 5, { status: 'failed' })],
  ['a process that has failed', 'F: process stuck', withChanged('processes', 0, { status: 'failed' })],
  ['a reaction that nobody takes in', 'F: process stuck', withChanged('processes', 0, { waiting: 1 })],
  ['a call that nobody makes', 'F: process stuck', withChanged('processes', 0, { openCalls: 1 })],
  ['an order that gets no further', 'F: order stuck', withChanged('orders', 0, { status: 'placed' })],
  ['done, but not done', 'G: done was said of what is not done', withChanged('submissions', 2, { answers: [accepted('succeeded', {})] })],
  ['not done, but done', 'G: not done was said of what is done', withChanged('submissions', 1, { answers: [{ kind: 'refused', code: 'IN429' }] })],
  ['an id used for two things', 'G: a used id was accepted for something else', withChanged('submissions', 0, { answersToOthers: [accepted('pending', null)] })],
  ['a used id refused as forbidden', 'G: a used id was refused for another reason', withChanged('submissions', 0, { answersToOthers: [{ kind: 'refused', code: 'IN403' }] })],
];

describe('the checker', () => {
  it('finds nothing in a run where nothing is wrong', () => {
    expect(check(soundEvidence())).toEqual([]);
  });

  it.each(planted)('catches %s as %s', (_, name, evidence) => {
    expect(check(evidence).map((found) => `${found.invariant}: ${found.name}`)).toContain(name);
  });

  it('lets a command wait for its time', () => {
    const { submissions } = soundEvidence();
    const evidence = withChanged('commands', 5, { status: 'pending', outcome: null, isDue: false });
    const waiting = submissions.with(2, { ...submissions[2]!, answers: [accepted('pending', null)] });
    expect(check({ ...evidence, submissions: waiting })).toEqual([]);
  });
});
