import pg from 'pg';
import type { Logger } from '../../ports/logger.ts';

const connectTimeoutMs = 5_000;
/** A session keeps its plans, and a new one takes ten times as long for its first few calls. */
const idleTimeoutMs = 10 * 60_000;
/** No statement of ours takes so long: a server that hangs, or a half-open socket, is as good as one that is away. */
const defaultQueryTimeoutMs = 10_000;

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
  });
  pool.on('error', (error) => log.warn({ err: error }, 'An idle connection to PostgreSQL was lost'));
  return pool;
}
