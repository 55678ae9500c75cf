import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { inject, it, expect } from 'vitest';
import { endWithFile } from '../testing/end-with-file.ts';
import { databaseUrl } from '../testing/template-database.ts';

const password = 'wr0ng-S3cret';

function url(user: string): string {
  const { adminUrl, name } = inject('database');
  return databaseUrl(adminUrl, name, { user, password });
}

// With the inline engine one process is worker and pump, and needs no Temporal before it asks for the database.
it('a process whose password is wrong tells whom it tried to be, and where, and never the password', async () => {
  const env = {
    PATH: process.env['PATH'],
    NODE_ENV: 'test',
    INTENT_ENGINE: 'inline',
    DATABASE_URL: url('intent_worker'),
    PUMP_DATABASE_URL: url('intent_pump'),
    HEALTH_PORT: '0',
    LOG_LEVEL: 'trace',
  };
  const child = spawn(process.execPath, ['src/main/worker.ts'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  endWithFile(child);
  const errors = text(child.stderr);
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (line.includes('password authentication failed')) child.kill('SIGTERM');
  }
  if (child.exitCode === null) await once(child, 'exit');

  const { hostname, port, pathname } = new URL(url('intent_pump'));
  const said = lines.join('\n') + (await errors);
  expect(said).toContain(`Waiting for PostgreSQL, as intent_pump at ${hostname}:${port}${pathname}`);
  expect(said).not.toContain(password);
});
