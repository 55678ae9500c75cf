import { readFileSync } from 'node:fs';
import pg from 'pg';
import { layStandIns } from '../local/lay-stand-ins.ts';
import { queryOnce } from './query-once.ts';
import { databaseUrl } from './template-database.ts';

/** What differs between hosted projects, by the age of their image and of their Realtime. */
export interface HostedLayout {
  /** `postgres` is a member of supabase_realtime_admin, which owns realtime.messages: images before 15.14.1.018. */
  readonly isRealtimeMember: boolean;
  /** `postgres` may pass its USAGE on the schema realtime on: since Realtime's migration of 2026-07-07. */
  readonly mayPassUsageOn: boolean;
}

/** Every one that there is. */
export const hostedLayouts: Readonly<Record<string, HostedLayout>> = {
  'an older image': { isRealtimeMember: true, mayPassUsageOn: false },
  'a newer image': { isRealtimeMember: false, mayPassUsageOn: false },
  'an older image with a new Realtime': { isRealtimeMember: true, mayPassUsageOn: true },
  'a newer image with a new Realtime': { isRealtimeMember: false, mayPassUsageOn: true },
};

export interface HostedDatabase {
  /** As the superuser of the platform, whom a project's owner never is. */
  readonly platformUrl: string;
  /** As the project's administrator, who migrates. */
  readonly projectUrl: string;
}

const temporary = 'supabase_admin_at_first';

/**
 * Makes a new server of ours, on which nobody works yet, a hosted project's: its superuser `postgres` becomes supabase_admin, and a
 * new `postgres` with the same password is a mere administrator. `adminUrl`: as `postgres`, while that is the superuser.
 */
export async function layHosted(adminUrl: string, database: string, layout: HostedLayout): Promise<HostedDatabase> {
  const { password } = new URL(adminUrl);
  const as = (user: string, of = database) => databaseUrl(adminUrl, of, { user, password: decodeURIComponent(password) });
  const secret = pg.escapeLiteral(decodeURIComponent(password));
  // Nobody can rename the role that they are logged in as.
  await queryOnce(adminUrl, `create role ${temporary} superuser login password ${secret}`);
  await queryOnce(as(temporary, 'postgres'), 'alter role postgres rename to supabase_admin');
  const platform = as('supabase_admin', 'postgres');
  await queryOnce(platform, `drop role ${temporary}`);
  await queryOnce(platform, `create role postgres login createrole createdb replication bypassrls password ${secret}`);
  await queryOnce(platform, `create database ${pg.escapeIdentifier(database)} owner postgres`);

  const client = new pg.Client(as('supabase_admin'));
  await client.connect();
  try {
    await layStandIns(client);
    await client.query(readFileSync(new URL('hosted-layout.sql', import.meta.url), 'utf8'));
    if (layout.isRealtimeMember) await client.query('grant supabase_realtime_admin to postgres');
    if (layout.mayPassUsageOn) await client.query('grant usage on schema realtime to postgres with grant option');
  } finally {
    await client.end();
  }
  return { platformUrl: as('supabase_admin'), projectUrl: as('postgres') };
}
