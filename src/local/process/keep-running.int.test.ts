import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keepRunning } from './keep-running.ts';
import { startProcess } from './start-process.ts';
import type { RunningProcess } from './start-process.ts';

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'intent-keep-'));
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

function startIdler(): Promise<RunningProcess> {
  return startProcess({
    name: 'idler',
    home,
    command: process.execPath,
    args: ['-e', 'setInterval(() => {}, 1000)'],
    ready: async () => {},
    readyTimeoutMs: 5_000,
    stopTimeoutMs: 5_000,
  });
}

describe('keepRunning', () => {
  it('starts a process again that was killed, and tells so', async () => {
    const starts: RunningProcess[] = [];
    const restarted = Promise.withResolvers<void>();
    const lines: string[] = [];
    const kept = await keepRunning(
      async () => {
        const started = await startIdler();
        starts.push(started);
        if (starts.length === 2) restarted.resolve();
        return started;
      },
      (line) => lines.push(line),
    );
    process.kill(starts[0]!.pid, 'SIGKILL');
    await restarted.promise;
    expect(lines[0]).toContain('idler ended (SIGKILL); starting it again in 500 ms');
    await kept.stop();
    expect(await starts[1]!.exited).toMatchObject({ expected: true });
  });

  it('does not start it again after stop', async () => {
    let starts = 0;
    const kept = await keepRunning(
      () => {
        starts += 1;
        return startIdler();
      },
      () => {},
    );
    await kept.stop();
    expect(starts).toBe(1);
  });

  it('throws when the first start fails', async () => {
    await expect(keepRunning(() => Promise.reject(new Error('no')), () => {})).rejects.toThrow('no');
  });
});
