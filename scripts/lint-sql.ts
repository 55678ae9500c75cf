import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { compile } from 'graphile-migrate';
import { projectRoot } from '../src/local/paths.ts';

// Squawk on every migration: those that are committed, and the current one as it will be committed, with its includes written out,
// because afterwards nothing can be mended any more.
const squawk = createRequire(import.meta.url).resolve('squawk-cli/js/bin/squawk');
const current = 'sql/current/1-current.sql';
const settings = { connectionString: 'postgresql://nobody@localhost/nothing', migrationsFolder: './sql' };

const lint = (args: readonly string[], input?: string) =>
  spawnSync(process.execPath, [squawk, ...args], { cwd: projectRoot, input, stdio: [input === undefined ? 'ignore' : 'pipe', 'inherit', 'inherit'] });

process.chdir(projectRoot);
const committed = lint(['--no-error-on-unmatched-pattern', 'sql/committed/*.sql']);
const compiled = await compile(settings, readFileSync(current, 'utf8'), { filename: current });
const written = lint(['--stdin-filepath', current], compiled);
process.exitCode = committed.status === 0 && written.status === 0 ? 0 : 1;
