import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { chooseTestPort } from './test-port.ts';
import { processIdentity } from '../local/process/process-identity.ts';
import { startAbandonedServer } from './abandoned-server.ts';
import { createScratchDirectory } from './scratch-directory.ts';

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'intent-scratch-'));
  vi.stubEnv('INTENT_DIR', home);
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true, force: true });
});

it('removes the directory of a run that died, and ends the server that it left', async () => {
  const abandoned = join(home, 'test', `${process.pid}-another-boot-1.abcd`);
  mkdirSync(abandoned, { recursive: true });
  const server = await startAbandonedServer(join(abandoned, 'postgres'), await chooseTestPort(), 'password');
  expect(processIdentity(server)).toBeDefined();
  await createScratchDirectory();
  expect(existsSync(abandoned)).toBe(false);
  expect(processIdentity(server)).toBeUndefined();
});

it('leaves the directories of running runs alone', async () => {
  const first = await createScratchDirectory();
  const second = await createScratchDirectory();
  expect(existsSync(first.path)).toBe(true);
  expect(second.path).not.toBe(first.path);
});
