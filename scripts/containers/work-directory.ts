import { globSync, mkdirSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processIdentity } from '../../src/local/process/process-identity.ts';

export interface WorkDirectory {
  readonly path: string;
  /** Of the engine's containers, among all cgroups. */
  readonly cgroup: string;
  remove(): void;
}

const parent = join(tmpdir(), 'intent-containers');

/** For one run. First removes what runs have left that were killed; their processes have ended with them. */
export function createWorkDirectory(): WorkDirectory {
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  for (const name of readdirSync(parent)) if (name !== nameFor(Number.parseInt(name, 10))) remove(name);
  const name = nameFor(process.pid);
  const path = join(parent, name);
  mkdirSync(path);
  return { path, cgroup: cgroupOf(name), remove: () => remove(name) };
}

/** Short: a socket's path has a hundred characters at most. */
function nameFor(pid: number): string {
  return `${pid}-${processIdentity(pid)?.split('/').at(-1)}`;
}

function cgroupOf(name: string): string {
  return `/intent-containers-${name}`;
}

function remove(name: string): void {
  // What is being ended may write for a moment still.
  rmSync(join(parent, name), { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
  const cgroups = globSync(`/sys/fs/cgroup/{,*/}${cgroupOf(name).slice(1)}/{**/,}`);
  for (const cgroup of cgroups.toSorted((a, b) => b.length - a.length)) removeEmpty(cgroup);
}

/** A cgroup whose last process is still on its way out is left to the next run's look. */
function removeEmpty(cgroup: string): void {
  try {
    rmdirSync(cgroup);
  } catch {
    // Or somebody has removed it.
  }
}
