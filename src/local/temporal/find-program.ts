import { readdirSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { withFileLock } from '../../../scripts/file-lock.mjs';
import { executableName, executableOnPath, isExecutable } from './executable-on-path.ts';

const partialPrefix = '.partial-';

export type Obtained = { readonly file: string } | { readonly reason: string };

/** One way to get a program. */
export interface Way {
  /** Names the place in the cache. What another way brings has another name. */
  readonly version: string;
  /** Brings the executable into the empty directory and returns where it lies there, or else why it cannot be had in this way. */
  obtain(directory: string, alsoHeldBy: (pid: number) => void): Promise<Obtained>;
}

export interface ProgramSources {
  /** Of the executable, without its ending. */
  readonly program: string;
  /** As the environment variable PATH. (Default: it is not looked for there.) */
  readonly path?: string;
  readonly cacheDirectory: string;
  /** The best first. */
  readonly ways: readonly Way[];
  readonly log: (line: string) => void;
}

export type ProgramSearch = { readonly executable: string } | { readonly executable: undefined; readonly reasons: readonly string[] };

/**
 * A program from the PATH, else from the cache, else into the cache by the first way that leads to it. There it takes the place of
 * every other version. What a killed search has left is removed.
 */
export async function findProgram(sources: ProgramSources): Promise<ProgramSearch> {
  const { program, path = '', log } = sources;
  const installed = executableOnPath(program, path);
  if (installed) return { executable: installed };
  const cached = findCached(sources);
  if (cached !== undefined && partials(sources).length === 0) return { executable: cached };

  const lock = `${home(sources)}.lock`;
  const onWait = (holder: string) => log(`process ${holder} is getting ${program}; waiting for it (its lock: ${lock})`);
  return withFileLock(lock, onWait, async (alsoHeldBy) => {
    await removeAll(sources, partials(sources));
    // Somebody who held the lock before may have brought it.
    const brought = findCached(sources);
    return brought === undefined ? obtain(sources, alsoHeldBy) : { executable: brought };
  });
}

async function obtain(sources: ProgramSources, alsoHeldBy: (pid: number) => void): Promise<ProgramSearch> {
  const reasons: string[] = [];
  for (const way of sources.ways) {
    const reason = await take(way, sources, alsoHeldBy);
    if (reason === undefined) {
      // A server that runs from an older one goes on.
      await removeAll(sources, entries(sources).filter((name) => name !== way.version));
      return { executable: place(sources, way) };
    }
    reasons.push(reason);
  }
  return { executable: undefined, reasons };
}

/** Whatever happens to us meanwhile, the executable is in its place wholly or not at all. Returns why it is not. */
async function take(way: Way, sources: ProgramSources, alsoHeldBy: (pid: number) => void): Promise<string | undefined> {
  await mkdir(home(sources), { recursive: true });
  const directory = await mkdtemp(join(home(sources), partialPrefix));
  try {
    const obtained = await way.obtain(directory, alsoHeldBy);
    if ('reason' in obtained) return obtained.reason;
    const target = place(sources, way);
    await mkdir(dirname(target), { recursive: true });
    await rename(obtained.file, target);
    return undefined;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function findCached(sources: ProgramSources): string | undefined {
  return sources.ways.map((way) => place(sources, way)).find(isExecutable);
}

function place(sources: ProgramSources, way: Way): string {
  return join(home(sources), way.version, executableName(sources.program));
}

function partials(sources: ProgramSources): string[] {
  return entries(sources).filter((name) => name.startsWith(partialPrefix));
}

async function removeAll(sources: ProgramSources, names: readonly string[]): Promise<void> {
  await Promise.all(names.map((name) => rm(join(home(sources), name), { recursive: true, force: true })));
}

function entries(sources: ProgramSources): string[] {
  try {
    return readdirSync(home(sources));
  } catch {
    return [];
  }
}

function home({ cacheDirectory, program }: ProgramSources): string {
  return join(cacheDirectory, program);
}
