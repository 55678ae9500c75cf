import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createTemporalBuild } from './build-temporal.ts';
import { temporalVersion } from './temporal-version.ts';

// The build itself takes two minutes, and the first `npm start` runs it; here a stand-in for `go` shows what is asked of it.
let directory: string;
let target: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'intent-build-temporal-'));
  await mkdir(join(directory, 'cache'));
  target = join(directory, 'cache', 'temporal');
});

afterEach(() => rm(directory, { recursive: true, force: true }));

describe('createTemporalBuild', () => {
  test('installs the pinned version and leaves nothing but the executable', async () => {
    await fakeGo('echo "$@" > "$GOBIN/temporal"');
    expect(await build()).toBeUndefined();
    expect(await readFile(target, 'utf8')).toBe(`install github.com/temporalio/cli/cmd/temporal@${temporalVersion}\n`);
    expect(await readdir(join(directory, 'cache'))).toEqual(['temporal']);
  });

  test('tells what Go said where the build fails, and leaves nothing', async () => {
    await fakeGo('echo "dial tcp: no route to host" >&2; exit 1');
    expect(await build()).toBe('no build from source: dial tcp: no route to host');
    expect(await readdir(join(directory, 'cache'))).toEqual([]);
  });

  test('tells that Go is not installed', async () => {
    expect(await build()).toBe('no build from source: Go is not installed');
  });
});

function build() {
  const env = { PATH: join(directory, 'bin') };
  return createTemporalBuild({ env, log: () => {} })(target, () => {});
}

async function fakeGo(script: string): Promise<void> {
  await mkdir(join(directory, 'bin'));
  await writeFile(join(directory, 'bin', 'go'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}
