import type { ClientBase } from 'pg';

/** Each look compares all of a tenant's rows; the exchange of so many keeps its appends waiting for some hundred milliseconds. */
const aggregatesAtOnce = 2_000;
const tellEveryMs = 5_000;

/**
 * Makes the rows that older events give to read models that are new, tenant by tenant, while the application runs: an append waits for
 * the exchange of some rows at most. It can be given up at any moment, and goes on at the next call.
 */
export async function fillReadModels(client: ClientBase, log: (line: string) => void): Promise<void> {
  const names = await inRole<{ name: string }>(client, 'intent_owner', 'select read_model as name from intent.read_models where filled_at is null order by 1');
  if (names.length === 0) return;
  const models = names.map(({ name }) => name);
  const tenants = await inRole<{ tenant_id: string }>(client, 'intent_system', 'select tenant_id from intent.tenants order by tenant_id');
  let toldAt = performance.now();
  let rows = 0;
  for (const [index, { tenant_id: tenantId }] of tenants.entries()) {
    for (let made = aggregatesAtOnce; made > 0; ) {
      made = await rebuild(client, tenantId);
      rows += made;
      if (performance.now() - toldAt < tellEveryMs) continue;
      toldAt = performance.now();
      log(`Filling ${models.join(', ')}: ${index} of ${tenants.length} tenants, ${rows} aggregates so far.`);
    }
  }
  await inRole(client, 'intent_owner', 'update intent.read_models set filled_at = clock_timestamp() where read_model = any ($1)', [models]);
  if (rows > 0) log(`${models.join(', ')}: filled from the events of ${tenants.length} tenants, ${rows} aggregates.`);
}

async function rebuild(client: ClientBase, tenantId: string): Promise<number> {
  const [row] = await inRole<{ made: number }>(client, 'intent_owner', 'select intent.rebuild_read_models($1, $2) as made', [tenantId, aggregatesAtOnce]);
  return row!.made;
}

/** The migrating role need not be a superuser: it acts as these two by membership. */
async function inRole<Row extends object>(client: ClientBase, role: 'intent_owner' | 'intent_system', statement: string, values: readonly unknown[] = []) {
  await client.query('begin');
  try {
    await client.query(`set local role ${role}`);
    const { rows } = await client.query<Row>(statement, [...values]);
    await client.query('commit');
    return rows;
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}
