import { execFileSync } from 'node:child_process';
import { cpus, platform, release, totalmem } from 'node:os';
import { findPostgresBinaries } from '../src/local/postgres/binaries.ts';

/** What the figures were measured on: without it they mean nothing. */
export async function describeMachine(): Promise<string> {
  const processors = cpus();
  const gibibytes = (totalmem() / 2 ** 30).toFixed(0);
  const { postgres } = await findPostgresBinaries();
  const version = execFileSync(postgres, ['--version'], { encoding: 'utf8' }).trim().replace('postgres (PostgreSQL)', 'PostgreSQL');
  const machine = `${processors.length} × ${processors[0]?.model ?? 'unknown'}, ${gibibytes} GiB, ${platform()} ${release()}`;
  return `${machine}, Node ${process.versions.node}, ${version}`;
}
