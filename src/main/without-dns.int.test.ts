import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { createTestDatabase } from '../testing/database.ts';
import { startMainProcess } from '../testing/main-process.ts';
import { createScratchDirectory } from '../testing/scratch-directory.ts';
import { claimsOf, connect, createTenant, openBudget, submitAs } from '../testing/tenant.ts';

const host = 'database.test';

it('a process that cannot resolve its database\'s name says so, lives on, and works once it can', async () => {
  const scratch = await createScratchDirectory();
  const database = await createTestDatabase();
  const db = connect(database);
  const resolvable = join(scratch.path, 'resolvable');
  const preload = new URL('../testing/failing-dns.ts', import.meta.url);
  preload.search = String(new URLSearchParams({ host, until: resolvable }));
  const named = (url: string) => Object.assign(new URL(url), { hostname: host, search: 'sslmode=disable' }).href;
  const worker = await startMainProcess('worker', database, {
    INTENT_ENGINE: 'inline',
    NODE_OPTIONS: `--import ${preload.href}`,
    DATABASE_URL: named(database.urlFor('intent_worker')),
    PUMP_DATABASE_URL: named(database.urlFor('intent_pump')),
  });
  onTestFinished(async () => {
    await worker.stop();
    await db.end();
    scratch.remove();
  });
  const { commandId } = await submitAs(db.admin, claimsOf(await createTenant(db.admin), 'owner'), openBudget('waits'));
  const eventually = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 15_000, interval: 50 });

  await eventually(async () => expect(worker.lines.filter(({ err }) => JSON.stringify(err)?.includes('EAI_AGAIN'))).not.toEqual([]));
  expect(await (await worker.get('/readyz'))!.json()).toMatchObject({ status: 'not ready', lacks: expect.arrayContaining(['PostgreSQL for the worker']) });
  expect((await worker.get('/healthz'))!.status).toBe(200);

  writeFileSync(resolvable, '');
  await worker.ready();
  await eventually(async () => {
    expect((await db.admin.query('select status from intent.commands where command_id = $1', [commandId])).rows).toEqual([{ status: 'succeeded' }]);
  });
});
