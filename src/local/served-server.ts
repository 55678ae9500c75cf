import type { Client } from 'pg';
import { StackError } from './stack-error.ts';

/** What the migrations need and the tests run on. `intent.doctor_server` has it as well. */
const oldestServed = 17;

/** Throws `StackError` if our migrations cannot work, before they have changed anything. */
export async function requireServedServer(client: Client): Promise<void> {
  const { rows } = await client.query<{ number: number; version: string }>(
    `select current_setting('server_version_num')::integer as number, current_setting('server_version') as version`,
  );
  const { number, version } = rows[0]!;
  if (number >= oldestServed * 10_000) return;
  throw new StackError(
    `PostgreSQL ${version} is not served: it lacks what the migrations use. PostgreSQL ${oldestServed} and later are.`,
    `Upgrade to PostgreSQL ${oldestServed} (a Supabase project: Settings, Infrastructure, Upgrade project), then try again.`,
  );
}

/** Throws `StackError` if nothing can be written, be it a standby or by a setting, before it is tried. */
export async function requireWritable(client: Client): Promise<void> {
  const { rows } = await client.query<{ refuses: boolean }>(`select current_setting('transaction_read_only')::boolean as refuses`);
  if (rows[0]?.refuses !== true) return;
  throw new StackError(
    'The database of DATABASE_URL is read-only, or its transactions are.',
    "Give the primary's address, and not a standby's; or reset default_transaction_read_only, which whoever set it had a reason for.",
  );
}

/** The platform's schema is there and not ours to fill: Realtime makes its tables when a client connects for the first time. */
export async function requireRealtimeTables(client: Client): Promise<void> {
  const { rows } = await client.query<{ missing: boolean }>(
    `select case when not has_schema_privilege('realtime', 'usage') or has_schema_privilege('realtime', 'create') then false
       else to_regclass('realtime.messages') is null or to_regprocedure('realtime.send(jsonb, text, text, boolean)') is null
         or to_regprocedure('realtime.topic()') is null
     end as missing
     from pg_namespace where nspname = 'realtime'`,
  );
  if (rows[0]?.missing !== true) return;
  throw new StackError(
    'The tables of Supabase Realtime are not there yet: it makes them when a client connects for the first time.',
    "In the project's dashboard open Realtime, Inspector, and join any channel; then migrate again.",
  );
}
