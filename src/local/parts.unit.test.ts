import { describe, expect, it } from 'vitest';
import { createParts } from './parts.ts';
import type { ProcessExit } from './process/start-process.ts';

const unexpectedExit: ProcessExit = { name: 'b', code: 1, signal: null, expected: false, lastLines: ['ouch'], logFile: 'b.log' };

function part(name: string, stopped: string[], exited?: Promise<ProcessExit>) {
  return {
    ...(exited && { exited }),
    stop: async () => {
      stopped.push(name);
    },
  };
}

describe('the parts of a stack', () => {
  it('stop in the reverse order of their start, and once', async () => {
    const stopped: string[] = [];
    const parts = createParts(() => {});
    for (const name of ['a', 'b', 'c']) await parts.start(name, async () => part(name, stopped), () => '');
    await Promise.all([parts.stop(), parts.stop()]);
    expect(stopped).toEqual(['c', 'b', 'a']);
  });

  it('stop although one of them fails to', async () => {
    const stopped: string[] = [];
    const lines: string[] = [];
    const parts = createParts((line) => lines.push(line));
    await parts.start('a', async () => part('a', stopped), () => '');
    await parts.start('b', async () => ({ stop: () => Promise.reject(new Error('no')) }), () => '');
    await parts.stop();
    expect(stopped).toEqual(['a']);
    expect(lines.at(-1)).toBe('b did not stop as it should: no');
  });

  it('tell of a part that ended by itself', async () => {
    const parts = createParts(() => {});
    await parts.start('b', async () => part('b', [], Promise.resolve(unexpectedExit)), () => '');
    expect((await parts.failed).message).toContain('b ended unexpectedly, with code 1. It said last:\n  ouch');
  });

  it('stop a part that becomes ready after the stop', async () => {
    const stopped: string[] = [];
    const parts = createParts(() => {});
    const ready = Promise.withResolvers<void>();
    const late = parts.start('a', () => ready.promise.then(() => part('a', stopped)), () => '');
    await parts.stop();
    ready.resolve();
    await expect(late).rejects.toThrow('stopped while it started');
    expect(stopped).toEqual(['a']);
  });

  it('say which of them are being started, and what they are at', async () => {
    const said: string[] = [];
    const parts = createParts(() => {}, (what) => said.push(what));
    const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const starting = [
      parts.start('a', (tell) => first.promise.then(() => tell('half of it')).then(() => second.promise).then(() => part('a', [])), () => ''),
      parts.start('b', () => second.promise.then(() => Promise.reject(new Error('no'))), () => '').catch(() => {}),
    ];
    first.resolve();
    await first.promise;
    second.resolve();
    await Promise.all(starting);
    expect(said.slice(0, 3)).toEqual(['a', 'a, b', 'a (half of it), b']);
    expect(said.at(-1)).toBe('');
  });
});
