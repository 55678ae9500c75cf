import type { BenchDatabase } from './database.ts';

const batchSize = 100;
const claimsInARate = 10;

interface Claimed {
  readonly tenant_id: string;
  readonly command_id: string;
}

/** A queue with these waiting commands, instead of those that wait now. */
export async function fillQueue(
  { admin }: BenchDatabase,
  { waiting, tenants, aggregates }: { waiting: number; tenants: number; aggregates: number },
): Promise<void> {
  await admin.query(`delete from intent.commands where status in ('pending', 'dispatched')`);
  await admin.query(`select bench.fill_commands('pending', $1, $2, $3)`, [waiting, tenants, aggregates]);
  await admin.query('vacuum analyze intent.commands');
}

/**
 * Claims batch after batch on one connection. Between two claims the batch is settled, as pump and worker would do; that time is
 * not counted. `rates`: commands a second, one for each ten claims.
 */
export async function claimMany(database: BenchDatabase, claims: number): Promise<{ rates: number[]; ms: number[] }> {
  const pump = await database.admin.connect();
  try {
    await settle(await claimBatch());
    const rates: number[] = [];
    const ms: number[] = [];
    for (let taken = 0, spentMs = 0, n = 1; n <= claims; n += 1) {
      const beganAt = performance.now();
      const batch = await claimBatch();
      const elapsedMs = performance.now() - beganAt;
      ms.push(elapsedMs);
      spentMs += elapsedMs;
      taken += batch.length;
      if (batch.length === 0) throw new Error('The queue is empty: there is nothing to measure.');
      await settle(batch);
      if (n % claimsInARate === 0) {
        rates.push(taken / (spentMs / 1000));
        taken = spentMs = 0;
      }
    }
    return { rates, ms };
  } finally {
    pump.release();
  }

  async function claimBatch(): Promise<readonly Claimed[]> {
    const { rows } = await pump.query<Claimed>({
      name: 'claim',
      text: `select * from intent.claim_commands('bench', $1, '30 s')`,
      values: [batchSize],
    });
    return rows;
  }

  async function settle(batch: readonly Claimed[]): Promise<void> {
    await database.admin.query(
      `update intent.commands as c set status = 'succeeded', outcome = '{}', completed_at = clock_timestamp()
       from unnest($1::uuid[], $2::uuid[]) as claimed (tenant_id, command_id)
       where c.tenant_id = claimed.tenant_id and c.command_id = claimed.command_id`,
      [batch.map((claimed) => claimed.tenant_id), batch.map((claimed) => claimed.command_id)],
    );
  }
}

/** Submits one command of the n-th tenant and returns the number of the batch, from 1, in which it is claimed. */
export async function findBatchOf({ admin }: BenchDatabase, tenant: number): Promise<number> {
  await admin.query(`insert into intent.commands
      (tenant_id, command_id, aggregate_type, aggregate_id, type, schema_version, payload, actor_role, correlation_id, request_hash)
    values (bench.tenant_id($1), gen_random_uuid(), 'note', 'latecomer', 'ConfirmOrder', 1, '{}', 'system', gen_random_uuid(), '\\x00')`, [tenant]);
  for (let batch = 1; batch <= 1_000; batch += 1) {
    const { rows } = await admin.query<{ served: boolean }>(
      `select bool_or(tenant_id = bench.tenant_id($1)) as served from intent.claim_commands('bench', $2, '30 s')`,
      [tenant, batchSize],
    );
    if (rows[0]?.served) return batch;
  }
  throw new Error('The command has not been claimed in a thousand batches.');
}
