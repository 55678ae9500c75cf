import { afterEach, expect, test, vi } from 'vitest';
import { onWakeUp } from './wake-up.ts';

afterEach(() => vi.unstubAllGlobals());

test('a page that is shown again wakes up, a page that is hidden does not, and nothing does after the stop', () => {
  const document = Object.assign(new EventTarget(), { visibilityState: 'hidden' });
  vi.stubGlobal('document', document);
  const callback = vi.fn();
  const stop = onWakeUp(callback);

  document.dispatchEvent(new Event('visibilitychange'));
  expect(callback).not.toHaveBeenCalled();
  document.visibilityState = 'visible';
  document.dispatchEvent(new Event('visibilitychange'));
  expect(callback).toHaveBeenCalledTimes(1);
  stop();
  document.dispatchEvent(new Event('visibilitychange'));
  expect(callback).toHaveBeenCalledTimes(1);
});

test('outside of browsers there is nothing to listen to', () => {
  expect(onWakeUp(() => {})).not.toThrow();
});
