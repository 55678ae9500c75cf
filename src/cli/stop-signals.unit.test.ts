import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { listenForStop } from './stop-signals.ts';

const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});

afterEach(() => {
  vi.useRealTimers();
  for (const name of names) process.removeAllListeners(name);
});

it.each(names)('asks to stop at %s', async (name) => {
  const { stopped, signal } = listenForStop(() => {});
  process.emit(name, name);
  await stopped;
  expect(signal.aborted).toBe(true);
});

it('takes a Ctrl-C that the terminal and npm both deliver for one', () => {
  const insist = vi.fn<() => void>();
  listenForStop(insist);
  process.emit('SIGINT', 'SIGINT');
  vi.advanceTimersByTime(100);
  process.emit('SIGINT', 'SIGINT');
  expect(insist).not.toHaveBeenCalled();
});

it('insists at a second Ctrl-C', () => {
  const insist = vi.fn<() => void>();
  listenForStop(insist);
  process.emit('SIGINT', 'SIGINT');
  vi.advanceTimersByTime(600);
  process.emit('SIGINT', 'SIGINT');
  expect(insist).toHaveBeenCalledOnce();
});
