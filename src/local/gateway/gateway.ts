import { getRequestListener } from '@hono/node-server';
import type { JWK } from 'jose';
import { Pool } from 'pg';
import { StackError } from '../stack-error.ts';
import { createApp } from './app.ts';
import { httpLimits, refuseManyHeaders } from './http-limits.ts';
import { listen } from './listen.ts';
import { createGatewayMetrics } from './metrics.ts';
import { createAdmissions } from './realtime/admission.ts';
import { followMessages } from './realtime/follow-messages.ts';
import { createHub } from './realtime/hub.ts';
import { createLateFollower } from './realtime/late-follower.ts';
import { keepPartitions } from './realtime/keep-partitions.ts';
import { probeTimeoutMs } from './realtime/limits.ts';
import { createPresenceBoard } from './realtime/presence.ts';
import { createProjectLimit } from './realtime/project-limit.ts';
import { createReplay } from './realtime/replay.ts';
import { createRestBroadcast } from './realtime/rest-broadcast.ts';
import { createRealtimeServer } from './realtime/server.ts';
import { sessionOptions } from './session-options.ts';
import { createTokens, importSigningKeys } from './tokens.ts';

const authConnections = 4;
const realtimeConnections = 4;
const connectTimeoutMs = 5_000;
const authStatementTimeoutMs = 10_000;

export interface GatewayOptions {
  /** 0: any free one. */
  readonly port: number;
  /** As role supabase_auth_admin. */
  readonly authDatabaseUrl: string;
  /** As role supabase_realtime_admin. */
  readonly realtimeDatabaseUrl: string;
  /** A private ES256 key with a kid. PostgREST and the Edge Function verify with its public half. */
  readonly signingKey: JWK;
  readonly publishableKey: string;
  readonly postgrestUrl: string;
  /** Answers `<functionUrl>/functions/v1/command` and so on. */
  readonly functionUrl: string;
  /** Origins of browsers that may call. */
  readonly allowedOrigins: readonly string[];
  /** Whether Auth limits sign-ins and refreshes for each address, as Supabase's does. (Default: false) */
  readonly limitAddresses?: boolean;
  readonly realtime?: RealtimeHabits;
  readonly log: (line: string) => void;
}

/** What Supabase's Realtime does and clients must bear. Off if everyday work would only be slower for it. */
export interface RealtimeHabits {
  /** How long a client that is turned away waits for its answer. (Default: 0; there 5,000) */
  readonly refusalDelayMs?: number;
  /** Joins are answered before broadcasts are streamed, which begins with the first one. (Default: false) */
  readonly followsLate?: boolean;
  /** After a broken stream nobody is told. (Default: false: channels are told to join again) */
  readonly hidesBreaks?: boolean;
  /** To all clients together, averaged over a minute; above it each channel that gets something is closed. (Default: null, no limit) */
  readonly maxDeliveriesPerSecond?: number | null;
}

export interface RunningGateway {
  readonly url: string;
  readonly port: number;
  /** Auth signs with this key from now on; Auth and Realtime trust the public ones beside it. Open sockets stay. */
  rotateKeys(signingKey: JWK, alsoTrusted: readonly JWK[]): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Serves, at one address on loopback, what of Supabase the unmodified supabase-js needs here. PostgREST and the Edge Function are
 * the real ones; Auth and Realtime are stand-ins for development. Ready, broadcasts included, when it resolves.
 *
 * @throws StackError in production, if the port is taken, or if the database cannot be used.
 */
export async function startGateway(options: GatewayOptions): Promise<RunningGateway> {
  if (process.env['NODE_ENV'] === 'production') {
    throw new StackError(
      'The local gateway is a stand-in for development and does not run with NODE_ENV=production.',
      'Use a Supabase project in production, or unset NODE_ENV.',
    );
  }
  const { publishableKey, log } = options;
  const keys = await importSigningKeys(options.signingKey);
  const closers: (() => unknown)[] = [];
  let stopped: Promise<void> | undefined;
  const stop = () => (stopped ??= closeAll(closers));

  try {
    const authPool = openPool(options.authDatabaseUrl, authConnections, authStatementTimeoutMs, log);
    closers.push(() => authPool.end());
    const realtimePool = openPool(options.realtimeDatabaseUrl, realtimeConnections, probeTimeoutMs, log);
    closers.push(() => realtimePool.end());

    const { refusalDelayMs = 0, followsLate = false, hidesBreaks = false, maxDeliveriesPerSecond = null } = options.realtime ?? {};
    const hub = createHub(log, createProjectLimit(maxDeliveriesPerSecond));
    const metrics = createGatewayMetrics(hub.count);
    const late = createLateFollower(follow, log);
    const follower = await prepareToFollow();
    closers.push(() => follower.stop());

    const { server, url, port, close } = await listen(options.port, httpLimits);
    const tokens = createTokens(keys, `${url}/auth/v1`);
    const admissions = createAdmissions({ pool: realtimePool, tokens, publishableKey, log });
    const restBroadcast = createRestBroadcast({ hub, admissions });
    const app = createApp({ limitAddresses: false, ...options, authPool, tokens, restBroadcast, metrics });
    const realtime = createRealtimeServer({
      hub,
      presence: createPresenceBoard(),
      admissions,
      replay: createReplay(realtimePool),
      refusalDelayMs,
      isStreaming: follower.isStreaming,
      onJoined: followsLate ? late.begin : () => {},
      metrics,
      publishableKey,
      log,
    });
    const answer = getRequestListener(app.fetch);
    server.on('request', refuseManyHeaders(httpLimits, (request, response) => void answer(request, response)));
    server.on('upgrade', realtime.upgrade);
    closers.push(() => Promise.all([close(), realtime.stop()]));
    log(`gateway: ${url} (a development stand-in for Supabase Auth and Realtime)`);
    const rotateKeys = async (signingKey: JWK, alsoTrusted: readonly JWK[]) => tokens.useKeys(await importSigningKeys(signingKey), alsoTrusted);
    return { url, port, rotateKeys, stop };

    function follow() {
      const onRecovered = hidesBreaks ? () => {} : hub.interrupt;
      return followMessages({ databaseUrl: options.realtimeDatabaseUrl, onBroadcast: hub.deliver, onRecovered, log });
    }

    async function prepareToFollow() {
      try {
        closers.push(await keepPartitions(realtimePool, log));
        return followsLate ? late : await follow();
      } catch (error) {
        throw new StackError(
          `The gateway cannot use the database: ${(error as Error).message}`,
          'Check that it runs with wal_level=logical, and that it has been migrated (npm run db:migrate).',
          { cause: error },
        );
      }
    }
  } catch (error) {
    await stop();
    throw error;
  }
}

function openPool(connectionString: string, max: number, statementTimeoutMs: number, log: (line: string) => void): Pool {
  const pool = new Pool({
    connectionString,
    max,
    options: sessionOptions,
    statement_timeout: statementTimeoutMs,
    connectionTimeoutMillis: connectTimeoutMs,
  });
  // A connection that breaks while it idles is replaced by the next query.
  pool.on('error', (error) => log(`gateway: lost a database connection: ${error.message}`));
  return pool;
}

/** In the reverse order of opening. */
async function closeAll(closers: (() => unknown)[]): Promise<void> {
  for (const close of closers.toReversed()) await close();
}
