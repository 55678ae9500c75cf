import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Role } from '../../src/domain/kernel/message.ts';
import { createRandom, type Random } from '../../src/testing/random.ts';
import { claimsOf } from '../../src/testing/tenant.ts';
import type { Follower, Submission } from '../checker/evidence.ts';
import { createClient, type LogEntry, type Send } from './client.ts';
import { nextCommand, openBudgets } from './commands.ts';
import { startFollower } from './follower.ts';
import type { Household } from './household.ts';
import { createMember } from './member.ts';

const roles: readonly Role[] = ['owner', 'member', 'guest'];
const shortestPauseMs = 400;
const pauseSpreadMs = 1_600;
/** Each client sends one command at a time, or the same one twice. */
const maxConnections = 30;
const connectTimeoutMs = 2_000;
const queryTimeoutMs = 3_000;

export interface Load {
  readonly submissions: readonly Submission[];
  readonly followers: readonly Follower[];
  /** Resolves when no client has a command in hand. */
  pause(): Promise<void>;
  resume(): void;
  stop(): Promise<void>;
}

export interface LoadOptions {
  /** As `authenticator`, by way of the clients' proxy. */
  readonly databaseUrl: string;
  readonly households: readonly Household[];
  readonly seed: number;
}

/** An owner, a member and a guest of each household, who send commands at random, and a follower each. Paused at first. */
export async function startLoad({ databaseUrl, households, seed }: LoadOptions): Promise<Load> {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: maxConnections,
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: queryTimeoutMs,
  });
  pool.on('error', () => {});
  pool.on('connect', (connection) => connection.on('error', () => {}));
  const log: LogEntry[] = [];
  let gate = Promise.withResolvers<void>();
  let isStopping = false;
  let isPaused = true;
  const inHand = new Set<Promise<void>>();

  async function run(household: Household, role: Role, send: Send, random: Random): Promise<void> {
    while (!isStopping) {
      if (isPaused) await gate.promise;
      if (isStopping) return;
      const sending = send(nextCommand(household, role, random));
      inHand.add(sending);
      await sending;
      inHand.delete(sending);
      await sleep(shortestPauseMs + random.below(pauseSpreadMs));
    }
  }

  const clients = households.flatMap((household, at) =>
    roles.map((role, index) => {
      const random = createRandom(seed + 1_000 * at + index + 1);
      const member = createMember(pool, claimsOf(household, role));
      const name = `${role}-${at + 1}`;
      return { household, role, member, random, name, send: createClient({ name, tenantId: household.tenantId, member, random, log }) };
    }),
  );
  for (const { household, role, send, random } of clients) {
    if (role === 'owner') for (const command of openBudgets(household, random)) await send(command);
  }
  const running = clients.map(({ household, role, send, random }) => run(household, role, send, random));
  const followers = clients
    .filter(({ role }) => role === 'member')
    .map(({ household, member, name }) => startFollower(`follower of ${name}`, household.tenantId, member));

  async function pause(): Promise<void> {
    if (!isPaused) gate = Promise.withResolvers();
    isPaused = true;
    await Promise.all(inHand);
  }

  return {
    submissions: log,
    followers,
    pause,
    resume() {
      isPaused = false;
      gate.resolve();
    },
    async stop() {
      isStopping = true;
      gate.resolve();
      await Promise.all([...running, ...followers.map((follower) => follower.stop())]);
      await pool.end();
    },
  };
}
