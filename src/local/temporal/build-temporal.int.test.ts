import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createTemporalBuild } from './build-temporal.ts';
import { goVersion } from './pinned-programs.ts';

// The build itself takes minutes; here a stand-in for `go` shows what is asked of it.
let directory: string;
let partial: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'intent-build-temporal-'));
  partial = join(directory, 'partial');
  await mkdir(partial);
});

afterEach(() => rm(directory, { recursive: true, force: true }));

describe('createTemporalBuild', () => {
  test('installs the version that Go can build', async () => {
    await fakeGo('echo "$@" > "$GOBIN/temporal"');
    expect(await build()).toEqual({ file: join(partial, 'temporal') });
    expect(await readFile(join(partial, 'temporal'), 'utf8')).toBe(`install github.com/temporalio/cli/cmd/temporal@v${goVersion}\n`);
  });

  test('tells what Go said if the build fails', async () => {
    await fakeGo('echo "dial tcp: no route to host" >&2; exit 1');
    expect(await build()).toEqual({ reason: 'no build from source: dial tcp: no route to host' });
  });

  test('tells that Go is not installed', async () => {
    expect(await build()).toEqual({ reason: 'no build from source: Go is not installed' });
  });
});

function build() {
  const env = { PATH: join(directory, 'bin') };
  return createTemporalBuild({ env, log: () => {} }).obtain(partial, () => {});
}

async function fakeGo(script: string): Promise<void> {
  await mkdir(join(directory, 'bin'));
  await writeFile(join(directory, 'bin', 'go'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}
