import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createWorker } from './worker.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const muchLaterMs = 3_600_000;

test('what goes on failing is tried six times more with growing pauses, and then not until something happens', async () => {
  const triedAt: number[] = [];
  const beganAt = Date.now();
  const worker = createWorker(async () => triedAt.push(Date.now() - beganAt) === 0, new AbortController().signal);
  worker.run();
  await vi.advanceTimersByTimeAsync(muchLaterMs);
  expect(triedAt).toHaveLength(7);
  expect(triedAt.at(-1)).toBeLessThan(30_000);
  worker.run();
  await vi.advanceTimersByTimeAsync(muchLaterMs);
  expect(triedAt).toHaveLength(14);
});

test('what happens during a pause ends it', async () => {
  const work = vi.fn().mockResolvedValue(false);
  const worker = createWorker(work, new AbortController().signal);
  worker.run();
  await vi.advanceTimersByTimeAsync(0);
  expect(work).toHaveBeenCalledTimes(1);
  worker.runAfresh();
  await vi.advanceTimersByTimeAsync(0);
  expect(work).toHaveBeenCalledTimes(2);
});

test('after the stop nothing is tried', async () => {
  const stopping = new AbortController();
  const work = vi.fn().mockResolvedValue(false);
  createWorker(work, stopping.signal).run();
  stopping.abort();
  await vi.advanceTimersByTimeAsync(muchLaterMs);
  expect(work).toHaveBeenCalledTimes(1);
});
