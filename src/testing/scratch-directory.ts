import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { intentDirectory } from '../local/paths.ts';
import { endOrphanedServer } from '../local/postgres/orphan.ts';
import { processIdentity } from '../local/process/process-identity.ts';
import { endOrphans } from '../local/process/process-record.ts';

export interface ScratchDirectory {
  readonly path: string;
  remove(): void;
}

/**
 * A new directory `.intent/test/<owner>.<random>` for one run's servers. First removes those of runs that died, and ends the
 * servers that they left. The name says who owns it, so that there is no moment at which another run could take it for abandoned.
 */
export async function createScratchDirectory(): Promise<ScratchDirectory> {
  const parent = join(intentDirectory(), 'test');
  mkdirSync(parent, { recursive: true });
  await Promise.all(readdirSync(parent).filter(isAbandoned).map((name) => discard(join(parent, name))));

  const path = join(parent, `${ownerName(process.pid)}.${randomUUID().slice(0, 8)}`);
  mkdirSync(path);
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

function isAbandoned(name: string): boolean {
  const pid = Number.parseInt(name, 10);
  return !(pid > 0) || !name.startsWith(`${ownerName(pid)}.`);
}

function ownerName(pid: number): string {
  return `${pid}-${processIdentity(pid)?.replaceAll(/[^0-9A-Za-z]/g, '-')}`;
}

async function discard(path: string): Promise<void> {
  const log = () => {};
  await endOrphanedServer(join(path, 'postgres'), log);
  await endOrphans(join(path, 'run'), log);
  rmSync(path, { recursive: true, force: true });
}
