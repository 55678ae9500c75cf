import { randomBytes, randomUUID } from 'node:crypto';
import { expect, inject, it, onTestFinished } from 'vitest';
import { createTestDatabase } from '../testing/database.ts';
import { startMainProcess } from '../testing/main-process.ts';
import { needs } from '../testing/needs.ts';
import { moveToSmallDisk } from '../testing/small-disk.ts';
import { claimsOf, connect, createTenant, submitAs } from '../testing/tenant.ts';

const database = await createTestDatabase();
const disk = await moveToSmallDisk(database, inject('database').adminUrl);

/** More than fits into what pages have left, and cannot be compressed. */
function largeOrder() {
  const lines = Array.from({ length: 100 }, () => ({ item: randomBytes(100).toString('hex'), quantity: 1, unitPrice: 1 }));
  return { type: 'PlaceOrder', aggregateType: 'order', aggregateId: randomUUID(), payload: { budgetId: 'groceries', lines } } as const;
}

it('on a full disk submissions are refused, what was accepted waits, and all of it is executed once there is space', { ...needs(disk, 'no small disk can be mounted'), timeout: 60_000 }, async () => {
  const db = connect(database);
  const worker = await startMainProcess('worker', database, { INTENT_ENGINE: 'inline' });
  onTestFinished(async () => {
    await worker.stop();
    await db.end();
    await disk!.remove();
  });
  await worker.ready();
  const owner = claimsOf(await createTenant(db.admin), 'owner');
  const executeAt = new Date(Date.now() + 2_000).toISOString();
  for (let n = 0; n < 20; n += 1) await submitAs(db.admin, owner, { ...largeOrder(), executeAt });
  const statuses = async () => {
    const { rows } = await db.admin.query<{ status: string; count: number }>('select status, count(*)::int as count from intent.commands group by 1 order by 1');
    return Object.fromEntries(rows.map(({ status, count }) => [status, count]));
  };

  disk!.fill();
  let accepted = 20;
  await expect(async () => {
    for (;; accepted += 1) await submitAs(db.admin, owner, largeOrder());
  }).rejects.toMatchObject({ code: '53100' });
  await expect.poll(() => worker.lines.some(({ err }) => JSON.stringify(err)?.includes('No space left')), { timeout: 15_000 }).toBe(true);
  expect(await statuses()).not.toHaveProperty('failed');

  disk!.free();
  await expect.poll(statuses, { timeout: 30_000 }).toEqual({ succeeded: accepted });
});
