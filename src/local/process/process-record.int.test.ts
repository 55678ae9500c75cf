import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { processIdentity } from './process-identity.ts';
import { endOrphans, killRecorded, writeProcessRecord } from './process-record.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'intent-run-'));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

async function startIdler() {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  await once(child, 'spawn');
  return { pid: child.pid!, closed: once(child, 'close'), kill: () => child.kill('SIGKILL') };
}

function record(pid: number): string {
  writeProcessRecord(directory, 'idler', { pid, command: 'node', stopSignal: 'SIGTERM' });
  return join(directory, 'idler.json');
}

describe('endOrphans', () => {
  it('ends a process that a dead stack has recorded, and tells so', async () => {
    const idler = await startIdler();
    const file = record(idler.pid);
    const lines: string[] = [];
    await endOrphans(directory, (line) => lines.push(line));
    expect(await idler.closed).toEqual([null, 'SIGTERM']);
    expect(lines).toEqual([`ending idler (pid ${idler.pid}), left over from a stack that was killed`]);
    expect(existsSync(file)).toBe(false);
  });

  it('leaves a process alone that has only the pid of a recorded one', async () => {
    const idler = await startIdler();
    const file = record(idler.pid);
    const earlier = { ...JSON.parse(readFileSync(file, 'utf8')), identity: 'another-boot/1' };
    writeFileSync(file, JSON.stringify(earlier));
    await endOrphans(directory, () => {});
    expect(processIdentity(idler.pid)).toBeDefined();
    expect(existsSync(file)).toBe(false);
    idler.kill();
    await idler.closed;
  });

  it('takes no harm from a record that a crash has cut off', async () => {
    writeFileSync(join(directory, 'broken.json'), '{"pid": 1');
    await endOrphans(directory, () => {});
    expect(existsSync(join(directory, 'broken.json'))).toBe(false);
  });
});

describe('killRecorded', () => {
  it('kills at once', async () => {
    const idler = await startIdler();
    record(idler.pid);
    killRecorded(directory);
    expect(await idler.closed).toEqual([null, 'SIGKILL']);
  });
});
