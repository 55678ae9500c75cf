import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { processIdentity } from './process-identity.ts';
import { startProcess } from './start-process.ts';
import { acceptsConnections, until } from './until.ts';
import { chooseTestPort } from '../../testing/test-port.ts';

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'intent-process-'));
});

// The log of a process that never came up may be created while the directory is being removed.
afterEach(() => rmSync(home, { recursive: true, force: true, maxRetries: 10 }));

function options(script: string) {
  return {
    name: 'sample',
    home,
    command: process.execPath,
    args: ['-e', script],
    ready: async () => {},
    readyTimeoutMs: 10_000,
    stopTimeoutMs: 5_000,
  };
}

/** A process that listens on the port, after it has run the script. */
function listening(port: number, script = '') {
  return {
    ...options(`${script}; require('net').createServer().listen(${port}, '127.0.0.1')`),
    ready: (signal: AbortSignal) => until(() => acceptsConnections(port), signal),
  };
}

describe('startProcess', () => {
  it('resolves when the process is ready, and stop ends it', async () => {
    const sample = await startProcess(listening(await chooseTestPort()));
    expect(processIdentity(sample.pid)).toBeDefined();
    await sample.stop();
    expect(processIdentity(sample.pid)).toBeUndefined();
    expect(await sample.exited).toMatchObject({ expected: true, signal: 'SIGTERM' });
  });

  it('quotes the last lines of a process that dies before it is ready', async () => {
    const dying = { ...options(`console.error('no such luck'); process.exit(3)`), ready: () => new Promise<void>(() => {}) };
    await expect(startProcess(dying)).rejects.toThrow(/with code 3.*\n {2}no such luck/);
  });

  it('gives up, and ends the process, when it is not ready in time', async () => {
    const slow = { ...options('setInterval(() => {}, 1000)'), ready: () => new Promise<void>(() => {}), readyTimeoutMs: 100 };
    await expect(startProcess(slow)).rejects.toThrow('was not ready within 0.1 s');
    expect(() => readFileSync(join(home, 'run', 'sample.json'))).toThrow('ENOENT');
  });

  it('says what is missing when the program does not exist', async () => {
    const missing = { ...options(''), command: join(home, 'nothing') };
    await expect(startProcess(missing)).rejects.toThrow('sample could not be started');
  });

  it('tells of an exit that nobody asked for, with the last lines', async () => {
    const sample = await startProcess(options(`console.log('working'); console.log('broken'); process.exit(7)`));
    expect(await sample.exited).toMatchObject({ expected: false, code: 7, lastLines: ['working', 'broken'] });
  });

  it('kills a process that ignores the request to end', async () => {
    const stubborn = { ...listening(await chooseTestPort(), `process.on('SIGTERM', () => {})`), stopTimeoutMs: 50 };
    const sample = await startProcess(stubborn);
    await sample.stop();
    expect(await sample.exited).toMatchObject({ signal: 'SIGKILL' });
  });

  it('keeps the log of the run before beside that of this one', async () => {
    const first = await startProcess(options(`console.log('first')`));
    await first.exited;
    const second = await startProcess(options(`console.log('second')`));
    await second.exited;
    expect(readFileSync(join(home, 'logs', 'sample.1.log'), 'utf8')).toBe('first\n');
    expect((await second.exited).lastLines).toEqual(['second']);
  });
});
