import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ObtainTemporal, TemporalSources } from './find-temporal.ts';
import { findTemporal } from './find-temporal.ts';
import { temporalVersion } from './temporal-version.ts';

let directory: string;
let cached: string;
let tried: string[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'intent-find-temporal-'));
  cached = join(directory, 'cache', 'temporal', temporalVersion, 'temporal');
  tried = [];
});

afterEach(() => rm(directory, { recursive: true, force: true }));

describe('findTemporal', () => {
  test('takes the one on the PATH before the one in the cache', async () => {
    await executable(join(directory, 'bin', 'temporal'));
    await executable(cached);
    expect(await find()).toEqual({ executable: join(directory, 'bin', 'temporal') });
    expect(tried).toEqual([]);
  });

  test('does not take what may not be executed', async () => {
    await mkdir(join(directory, 'bin'));
    await writeFile(join(directory, 'bin', 'temporal'), '', { mode: 0o644 });
    await executable(cached);
    expect(await find()).toEqual({ executable: cached });
  });

  test('takes the cached one before it downloads', async () => {
    await executable(cached);
    expect(await find()).toEqual({ executable: cached });
    expect(tried).toEqual([]);
  });

  test('downloads before it builds', async () => {
    expect(await find({ download: brings('download') })).toEqual({ executable: cached });
    expect(tried).toEqual(['download']);
  });

  test('builds where the download fails', async () => {
    expect(await find({ build: brings('build') })).toEqual({ executable: cached });
    expect(tried).toEqual(['download', 'build']);
  });

  test('tells the reason of each way where none leads to a server', async () => {
    expect(await find()).toEqual({ executable: undefined, reasons: ['no download', 'no build'] });
  });

  test('gets it once where two look for it at once, and the second says that it waits', async () => {
    const lines: string[] = [];
    const download = brings('download');
    const both = [find({ download, log: (line) => lines.push(line) }), find({ download, log: (line) => lines.push(line) })];
    expect(await Promise.all(both)).toEqual([{ executable: cached }, { executable: cached }]);
    expect(tried).toEqual(['download']);
    expect(lines).toEqual([expect.stringContaining(`process ${process.pid} is getting Temporal; waiting for it`)]);
  });
});

function find(changes: Partial<TemporalSources> = {}) {
  return findTemporal({
    path: ['nowhere', 'bin'].map((name) => join(directory, name)).join(delimiter),
    cacheDirectory: join(directory, 'cache'),
    download: fails('download'),
    build: fails('build'),
    log: () => {},
    ...changes,
  });
}

function fails(way: string): ObtainTemporal {
  return (_executable) => {
    tried.push(way);
    return Promise.resolve(`no ${way}`);
  };
}

function brings(way: string): ObtainTemporal {
  return async (target) => {
    tried.push(way);
    await executable(target);
    return undefined;
  };
}

async function executable(file: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, '', { mode: 0o755 });
}
