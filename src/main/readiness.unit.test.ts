import { expect, it, vi } from 'vitest';
import { createReadiness } from './readiness.ts';

const there = async () => {};
const away = () => Promise.reject(new Error('away'));

it('a process is not ready before it says so, and tells what it still lacks', async () => {
  const readiness = createReadiness();
  expect(await readiness.check()).toEqual({ lacks: ['it starts'], waiting: [] });
  readiness.need('PostgreSQL', away);
  readiness.need('Temporal', there);
  expect(await readiness.check()).toEqual({ lacks: ['PostgreSQL'], waiting: [] });
});

it('what it needs is asked for each time', async () => {
  const readiness = createReadiness();
  let probe: () => Promise<void> = there;
  readiness.need('PostgreSQL', () => probe());
  readiness.ready(['process managers']);
  expect(await readiness.check()).toEqual({ lacks: [], waiting: ['process managers'] });
  probe = away;
  expect((await readiness.check()).lacks).toEqual(['PostgreSQL']);
  probe = there;
  expect((await readiness.check()).lacks).toEqual([]);
});

it('who does not answer within two seconds is away', async () => {
  vi.useFakeTimers();
  const readiness = createReadiness();
  readiness.need('Temporal', () => new Promise(() => {}));
  readiness.ready([]);
  const checking = readiness.check();
  await vi.advanceTimersByTimeAsync(2_000);
  expect((await checking).lacks).toEqual(['Temporal']);
  vi.useRealTimers();
});

it('a process that shuts down is not ready, whatever there is', async () => {
  const readiness = createReadiness();
  readiness.ready([]);
  readiness.stopping();
  expect((await readiness.check()).lacks).toEqual(['it shuts down']);
});

it('what is amiss waits, and is said beside what has to wait anyway; a question without an answer says nothing', async () => {
  const readiness = createReadiness();
  let fault: string | undefined = 'permission denied';
  readiness.ask('hints', async () => fault);
  readiness.ask('others', () => Promise.reject(new Error('away')));
  readiness.ready(['schedules']);
  expect(await readiness.check()).toEqual({ lacks: [], waiting: ['schedules', 'hints: permission denied'] });
  fault = undefined;
  expect(await readiness.check()).toEqual({ lacks: [], waiting: ['schedules'] });
});
