import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { vi } from 'vitest';
import type { TestDatabase } from './database.ts';
import { isInstalled } from './is-installed.ts';
import { chooseTestPort } from './test-port.ts';

export const hasPgBouncer = isInstalled('pgbouncer');

export interface PgBouncer {
  /** The same login, through the pooler. */
  through(url: string): string;
  stop(): Promise<void>;
}

/** A real pooler on this machine, before a test's database. It does not run as root. */
export async function startPgBouncer(database: TestDatabase, mode: 'transaction' | 'session'): Promise<PgBouncer> {
  const { hostname, port: serverPort, pathname } = new URL(database.adminUrl);
  const port = await chooseTestPort();
  const directory = mkdtempSync(join(tmpdir(), 'intent-pgbouncer-'));
  chmodSync(directory, 0o755);
  const logins = (['intent_pump', 'intent_worker'] as const).map((role) => `"${role}" "${decodeURIComponent(new URL(database.urlFor(role)).password)}"`);
  writeFileSync(join(directory, 'users.txt'), `${logins.join('\n')}\n`, { mode: 0o644 });
  const settings = join(directory, 'pgbouncer.ini');
  writeFileSync(settings, `[databases]
${pathname.slice(1)} = host=${hostname} port=${serverPort}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = plain
auth_file = ${join(directory, 'users.txt')}
pool_mode = ${mode}
default_pool_size = 20
ignore_startup_parameters = extra_float_digits
`);
  const asSomebody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534, cwd: '/' } : {};
  const child = spawn('pgbouncer', [settings], { ...asSomebody, stdio: 'ignore' });
  const through = (url: string): string => Object.assign(new URL(url), { hostname: '127.0.0.1', port: String(port) }).href;
  await vi.waitFor(async () => {
    const client = new pg.Client({ connectionString: through(database.urlFor('intent_pump')) });
    await client.connect();
    await client.end();
  }, { timeout: 10_000, interval: 100 });
  return {
    through,
    async stop() {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}
