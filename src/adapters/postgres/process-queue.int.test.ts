import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ProcessQueue } from '../../ports/process-queue.ts';
import { createTestDatabase } from '../../testing/database.ts';
import { queueReaction } from '../../testing/processes.ts';
import { connect, createTenant, type TestTenant } from '../../testing/tenant.ts';
import { createProcessQueue } from './process-queue.ts';

let db: ReturnType<typeof connect>;
let tenant: TestTenant;
let queue: ProcessQueue;
beforeAll(async () => {
  db = connect(await createTestDatabase());
});
beforeEach(async () => {
  // Others' are not of interest: nobody is to wake them.
  await db.admin.query('update intent.processes set wake_at = null');
  tenant = await createTenant(db.admin, 'dedicated');
  queue = createProcessQueue({ pool: db.pump, pumpName: 'test' });
});
afterAll(() => db.end());

describe('the queue of process managers', () => {
  it('tells of an instance that has something to do, with what its tenant asks for', async () => {
    await db.admin.query('update intent.tenants set fairness_weight = 2.5 where tenant_id = $1', [tenant.tenantId]);
    const key = await queueReaction(db, tenant.tenantId);
    expect(await queue.claim(10)).toEqual([
      { tenantId: tenant.tenantId, process: 'order-fulfilment', key, isolation: 'dedicated', fairnessWeight: 2.5, correlationId: null },
    ]);
  });

  it('tells nobody else of it until the lease ends, and again then: it still has something to do', async () => {
    const key = await queueReaction(db, tenant.tenantId);
    const shortly = createProcessQueue({ pool: db.pump, pumpName: 'shortly', leaseSeconds: 0.1 });
    expect(await shortly.claim(10)).toMatchObject([{ key }]);
    await expect.poll(() => queue.claim(10), { interval: 20 }).toMatchObject([{ key }]);
    expect(await queue.claim(10)).toEqual([]);
  });

  it('tells at once of what has been queued since, lease or not', async () => {
    const key = await queueReaction(db, tenant.tenantId);
    await queue.claim(10);
    await db.worker.query('select intent.cancel_process($1, $2, $3)', [tenant.tenantId, 'order-fulfilment', key]);
    expect(await queue.claim(10)).toMatchObject([{ key }]);
  });

  it('takes no more than it is asked for, the longest waiting first', async () => {
    const keys = [await queueReaction(db, tenant.tenantId), await queueReaction(db, tenant.tenantId), await queueReaction(db, tenant.tenantId)];
    const claims = [await queue.claim(2), await queue.claim(2)].map((claimed) => claimed.map(({ key }) => key).toSorted());
    expect(claims).toEqual([keys.slice(0, 2).toSorted(), keys.slice(2)]);
  });

  it('has it claimable again after about a second, where it is given back', async () => {
    await queueReaction(db, tenant.tenantId);
    const [claimed] = await queue.claim(10);
    await queue.release(claimed!);
    const { rows } = await db.admin.query(
      `select wake_at between clock_timestamp() - interval '5 seconds' and clock_timestamp() + interval '1 second' as soon
       from intent.processes where tenant_id = $1`,
      [tenant.tenantId],
    );
    expect(rows).toEqual([{ soon: true }]);
  });
});
