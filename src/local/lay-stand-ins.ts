import { readFile } from 'node:fs/promises';
import type { Client } from 'pg';

type Kind = 'schema' | 'extension' | 'table' | 'column' | 'function';

interface StandIn {
  readonly kind: Kind;
  readonly name: string;
  readonly files: readonly string[];
}

/**
 * In the order in which they need one another. What comes with realtime.messages (its publication and partitions) is laid with it
 * or not at all: if the table is Supabase's own, its server looks after them.
 */
const standIns: readonly StandIn[] = [
  { kind: 'schema', name: 'extensions', files: ['extensions.sql'] },
  { kind: 'extension', name: 'pgcrypto', files: ['pgcrypto.sql'] },
  { kind: 'schema', name: 'auth', files: ['auth/schema.sql'] },
  { kind: 'table', name: 'auth.users', files: ['auth/users.sql'] },
  { kind: 'column', name: 'auth.users.banned_until', files: ['auth/banned_until.sql'] },
  { kind: 'table', name: 'auth.sessions', files: ['auth/sessions.sql'] },
  { kind: 'table', name: 'auth.refresh_tokens', files: ['auth/refresh_tokens.sql'] },
  { kind: 'function', name: 'auth.jwt()', files: ['auth/jwt.sql'] },
  { kind: 'function', name: 'auth.uid()', files: ['auth/uid.sql'] },
  { kind: 'function', name: 'auth.role()', files: ['auth/role.sql'] },
  { kind: 'schema', name: 'realtime', files: ['realtime/schema.sql'] },
  { kind: 'table', name: 'realtime.messages', files: ['realtime/messages.sql', 'realtime/keep_message_partitions.sql'] },
  { kind: 'function', name: 'realtime.topic()', files: ['realtime/topic.sql'] },
  { kind: 'function', name: 'realtime.send(jsonb,text,text,boolean)', files: ['realtime/send.sql'] },
];

const existsQueries: Record<Kind, string> = {
  schema: 'select to_regnamespace($1) is not null as found',
  extension: 'select exists (select from pg_extension where extname = $1) as found',
  table: 'select to_regclass($1) is not null as found',
  column: `select exists (
    select from pg_attribute
    where attrelid = to_regclass(substring($1 from '^(.*)[.]')) and attname = substring($1 from '[^.]*$') and not attisdropped
  ) as found`,
  function: 'select to_regprocedure($1) is not null as found',
};

const folder = new URL('../../sql/supabase-stand-ins/', import.meta.url);

/**
 * Creates what a Supabase database has and our migrations rely on, if it is missing; what exists is never changed. All or
 * nothing, and safe to repeat. The client is a superuser, or an administrator who may create roles and replication.
 */
export async function layStandIns(client: Client): Promise<void> {
  await client.query('begin');
  try {
    await client.query(`select pg_advisory_xact_lock(hashtextextended('intent.lay_stand_ins', 0))`);
    await run(client, 'roles.sql');
    for (const { kind, name, files } of standIns) {
      const { rows } = await client.query<{ found: boolean }>(existsQueries[kind], [name]);
      if (rows[0]?.found) continue;
      for (const file of files) await run(client, file);
    }
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}

async function run(client: Client, file: string): Promise<void> {
  await client.query(await readFile(new URL(file, folder), 'utf8'));
}
