import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const startModule = new URL('../local/postgres/start-postgres.ts', import.meta.url).href;

/** Starts PostgreSQL from a process that then kills itself (-9), and returns the pid of the server that is left behind. */
export async function startAbandonedServer(directory: string, port: number, password: string): Promise<number> {
  const script = `
    const { startPostgres } = await import(${JSON.stringify(startModule)});
    await startPostgres({ ...${JSON.stringify({ directory, port, password })}, log: () => {} });
    process.kill(process.pid, 'SIGKILL');`;
  const starter = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'ignore', 'inherit'] });
  await once(starter, 'close');
  return Number.parseInt(readFileSync(join(directory, 'postmaster.pid'), 'utf8'), 10);
}
