import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createParts, type Part, type Parts, PortTaken } from './parts.ts';
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

function begin(parts: Parts, name: string, start: (tell: (detail: string) => void) => Promise<Part>, ports: readonly number[] = []) {
  return parts.start({ name, ports, start, where: () => '' });
}

describe('the parts of a stack', () => {
  it('stop in the reverse order of their start, and once', async () => {
    const stopped: string[] = [];
    const parts = createParts(() => {});
    for (const name of ['a', 'b', 'c']) await begin(parts, name, async () => part(name, stopped));
    await Promise.all([parts.stop(), parts.stop()]);
    expect(stopped).toEqual(['c', 'b', 'a']);
  });

  it('stop although one of them fails to', async () => {
    const stopped: string[] = [];
    const lines: string[] = [];
    const parts = createParts((line) => lines.push(line));
    await begin(parts, 'a', async () => part('a', stopped));
    await begin(parts, 'b', async () => ({ stop: () => Promise.reject(new Error('no')) }));
    await parts.stop();
    expect(stopped).toEqual(['a']);
    expect(lines.at(-1)).toBe('b did not stop as it should: no');
  });

  it('tell of a part that ended by itself', async () => {
    const parts = createParts(() => {});
    await begin(parts, 'b', async () => part('b', [], Promise.resolve(unexpectedExit)));
    expect((await parts.failed).message).toContain('b ended unexpectedly, with code 1. It said last:\n  ouch');
  });

  it('stop a part that becomes ready after the stop', async () => {
    const stopped: string[] = [];
    const parts = createParts(() => {});
    const ready = Promise.withResolvers<void>();
    const late = begin(parts, 'a', () => ready.promise.then(() => part('a', stopped)));
    await parts.stop();
    ready.resolve();
    await expect(late).rejects.toThrow('stopped while it started');
    expect(stopped).toEqual(['a']);
  });

  it('are settled when the last that was being started has come up and been stopped', async () => {
    const stopped: string[] = [];
    const parts = createParts(() => {});
    const ready = Promise.withResolvers<void>();
    const starting = [
      begin(parts, 'a', () => ready.promise.then(() => part('a', stopped))),
      begin(parts, 'b', () => Promise.reject(new Error('no'))),
    ].map((start) => start.catch(() => {}));
    await parts.stop();
    const settled = parts.settled();
    ready.resolve();
    await settled;
    expect(stopped).toEqual(['a']);
    await Promise.all(starting);
  });

  it('tell one that fails because of its port from one that fails for itself', async () => {
    const stranger = createServer().listen(0, '127.0.0.1');
    await once(stranger, 'listening');
    const { port } = stranger.address() as AddressInfo;
    const parts = createParts(() => {});
    const fail = () => Promise.reject(new Error('no'));
    await expect(begin(parts, 'a', fail, [port])).rejects.toBeInstanceOf(PortTaken);
    stranger.close();
    await once(stranger, 'close');
    await expect(begin(parts, 'a', fail, [port])).rejects.not.toBeInstanceOf(PortTaken);
  });

  it('say which of them are being started, and what they are at', async () => {
    const said: string[] = [];
    const parts = createParts(() => {}, (what) => said.push(what));
    const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const starting = [
      begin(parts, 'a', (tell) => first.promise.then(() => tell('half of it')).then(() => second.promise).then(() => part('a', []))),
      begin(parts, 'b', () => second.promise.then(() => Promise.reject(new Error('no')))).catch(() => {}),
    ];
    first.resolve();
    await first.promise;
    second.resolve();
    await Promise.all(starting);
    expect(said.slice(0, 3)).toEqual(['a', 'a, b', 'a (half of it), b']);
    expect(said.at(-1)).toBe('');
  });
});
