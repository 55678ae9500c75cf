import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createWaitingLine } from './waiting-line.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setInterval', 'clearInterval'] });
});
afterEach(() => {
  vi.useRealTimers();
});

function terminal(columns = 80) {
  const written: string[] = [];
  return { isTTY: true, columns, write: (text: string) => written.push(text), written, screen: () => screenOf(written.join('')) };
}

/** What a terminal shows after it: one that knows "back to the line's begin" and "clear the line". */
function screenOf(text: string): string[] {
  return text.split('\n').map((row) => row.split('\r\u001b[2K').at(-1)!);
}

describe('in a terminal', () => {
  it('what is waited for is one line, rewritten every second', () => {
    const output = terminal();
    const line = createWaitingLine(output);
    line.wait('Temporal');
    expect(output.screen()).toEqual(['  waiting for Temporal, 0 s']);
    vi.advanceTimersByTime(2_000);
    expect(output.screen()).toEqual(['  waiting for Temporal, 2 s']);
    line.wait('Temporal (pip, 3 of 45 MB)');
    expect(output.screen()).toEqual(['  waiting for Temporal (pip, 3 of 45 MB), 2 s']);
  });

  it('stays below what is said meanwhile, and is gone at the end', () => {
    const output = terminal();
    const line = createWaitingLine(output);
    line.log('first');
    line.wait('Temporal');
    line.log('second');
    expect(output.screen()).toEqual(['first', 'second', '  waiting for Temporal, 0 s']);
    line.wait('');
    line.log('third');
    expect(output.screen()).toEqual(['first', 'second', 'third', '']);
  });

  it('is cut where it would wrap', () => {
    const output = terminal(20);
    createWaitingLine(output).wait('something with a long name');
    expect(output.screen()[0]!).toHaveLength(19);
  });
});

it('is printed every 30 s elsewhere, and not rewritten', () => {
  const written: string[] = [];
  const line = createWaitingLine({ write: (text: string) => written.push(text) });
  line.wait('Temporal');
  line.log('first');
  vi.advanceTimersByTime(29_000);
  expect(written).toEqual(['first\n']);
  line.wait('Temporal (pip, 3 of 45 MB)');
  vi.advanceTimersByTime(31_000);
  line.wait('');
  vi.advanceTimersByTime(60_000);
  expect(written).toEqual(['first\n', '  waiting for Temporal (pip, 3 of 45 MB), 30 s\n', '  waiting for Temporal (pip, 3 of 45 MB), 60 s\n']);
});
