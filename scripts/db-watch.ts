/**
 * `npm run db:watch`: graphile-migrate's watch on the database of DATABASE_URL, else on that of the running `npm start`. A file below
 * sql/current/ or sql/fixtures/ that is saved is in the database a moment later.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { endWithWords } from '../src/local/end-with-words.ts';
import { intentDirectory } from '../src/local/paths.ts';
import { requireStackInfo } from '../src/local/stack-info.ts';

const current = join('sql', 'current');
const include = '--!include behaviour.sql';

/** What is not included in the migration that is being written is watched by nobody, and a blank one includes nothing. */
function includeBehaviour(): void {
  mkdirSync(current, { recursive: true });
  const files = readdirSync(current).filter((file) => file.endsWith('.sql'));
  if (files.some((file) => readFileSync(join(current, file), 'utf8').includes(include))) return;
  const file = join(current, files[0] ?? '1-current.sql');
  appendFileSync(file, `\n-- Behaviour.\n${include}\n`);
  console.log(`${file} includes all of sql/fixtures/ from now on, so that they are watched. It belongs to the migration that you write.`);
}

await endWithWords(async () => {
  const url = process.env['DATABASE_URL'] || requireStackInfo(intentDirectory()).databaseUrl;
  includeBehaviour();
  const graphileMigrate = createRequire(import.meta.url).resolve('graphile-migrate/dist/cli.js');
  const child = spawn(process.execPath, [graphileMigrate, 'watch'], { env: { ...process.env, DATABASE_URL: url }, stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 0;
});
