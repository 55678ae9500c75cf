import pg from 'pg';
import type { Logger } from '../../ports/logger.ts';

const connectTimeoutMs = 5_000;
/** A session keeps its plans, and a new one takes ten times as long for its first few calls. */
const idleTimeoutMs = 10 * 60_000;
/** No statement of ours takes so long: a server that hangs, or a half-open socket, is as good as one that is away. */
const defaultQueryTimeoutMs = 10_000;

/**
 * What our functions and this driver rely on, whatever is set for the database, or for the role in it. Whether transactions are read-only is
 * not ours to choose: anyone who sets that has a reason, and commands wait.
 */
const settings = {
  default_transaction_isolation: 'read committed',
  row_security: 'on',
  idle_session_timeout: '0',
  DateStyle: 'ISO, MDY',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  extra_float_digits: '1',
  plan_cache_mode: 'auto',
  jit: 'off',
  enable_indexscan: 'on',
  enable_indexonlyscan: 'on',
  enable_bitmapscan: 'on',
  enable_nestloop: 'on',
  enable_sort: 'on',
  statement_timeout: '60s',
} as const;

const setSettings = `select ${Object.entries(settings).map(([name, value]) => `set_config('${name}', '${value}', false)`).join(', ')}`;

export interface PoolOptions {
  readonly connectionString: string;
  /** What `pg_stat_activity` shows. */
  readonly applicationName: string;
  readonly maxConnections: number;
  readonly log: Logger;
  /** (Default: 10,000) */
  readonly queryTimeoutMs?: number;
}

/** Connections keep no tenant from one use to the next: our functions set it for their own transaction only. */
export function createPool({ connectionString, applicationName, maxConnections, log, queryTimeoutMs = defaultQueryTimeoutMs }: PoolOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString,
    application_name: applicationName,
    max: maxConnections,
    connectionTimeoutMillis: connectTimeoutMs,
    idleTimeoutMillis: idleTimeoutMs,
    query_timeout: queryTimeoutMs,
    keepAlive: true,
    // oxlint-disable-next-line typescript/no-misused-promises -- The pool waits for it, though its type does not say so.
    onConnect: (client) => client.query(setSettings),
  });
  pool.on('error', (error) => log.warn({ err: error }, 'An idle connection to PostgreSQL was lost'));
  return pool;
}
