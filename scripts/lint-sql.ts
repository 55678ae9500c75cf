import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compile } from 'graphile-migrate';
import { writeBehaviour } from '../src/local/migrations/write-behaviour.ts';
import { projectRoot } from '../src/local/paths.ts';

// Squawk on every migration: those that are committed, and the current one as it will be committed, with its includes written out,
// because afterwards nothing can be mended any more.
const squawk = join(projectRoot, 'node_modules', '@squawk-cli', `${process.platform}-${process.arch}`, 'bin', 'squawk');
const current = 'sql/current';
const settings = { connectionString: 'postgresql://nobody@localhost/nothing', migrationsFolder: './sql' };

const lint = (args: readonly string[], input?: string) =>
  spawnSync(squawk, args, { cwd: projectRoot, input, stdio: [input === undefined ? 'ignore' : 'pipe', 'inherit', 'inherit'] });

async function lintAll(): Promise<number> {
  process.chdir(projectRoot);
  const committed = lint(['--no-error-on-unmatched-pattern', 'sql/committed/*.sql']);
  writeBehaviour('sql');
  const results = [committed];
  for (const name of readdirSync(current).filter((file) => file.endsWith('.sql'))) {
    const filename = `${current}/${name}`;
    const compiled = await compile(settings, readFileSync(filename, 'utf8'), { filename });
    results.push(lint(['--stdin-filepath', filename], compiled));
  }
  return results.every(({ status }) => status === 0) ? 0 : 1;
}

if (existsSync(squawk)) {
  process.exitCode = await lintAll();
} else {
  console.log(`Squawk is not installed for ${process.platform} ${process.arch}: migrations are linted on linux x64 only.`);
}
