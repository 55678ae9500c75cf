import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** From a decision (microseconds) to a command that waits out a server's restart. */
const stageBuckets = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** `total`: from the moment that a command could be executed to its outcome. The others are what it consists of. */
export type Stage = 'queued' | 'dispatch' | 'execution' | 'load' | 'decide' | 'append' | 'total';

export type Metrics = ReturnType<typeof createMetrics>;

/**
 * What worker and pump count, for Prometheus; with Node's own (event loop, heap, handles). No label has a tenant's id: tenants come
 * and go, and each would make every time series anew.
 */
export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers });
  return {
    registry,
    settled: new Counter({
      name: 'intent_commands_settled_total',
      help: 'Commands that this process has brought to their outcome.',
      labelNames: ['outcome', 'tenant_class'],
      registers,
    }),
    claimed: new Counter({ name: 'intent_commands_claimed_total', help: 'Commands claimed by this pump.', labelNames: ['tenant_class'], registers }),
    claimedAgain: new Counter({
      name: 'intent_commands_claimed_again_total',
      help: 'Of those, the ones that had been claimed before: their lease ended, or they were given back.',
      registers,
    }),
    stages: new Histogram({
      name: 'intent_command_stage_seconds',
      help: 'How long commands were in each stage.',
      labelNames: ['stage'],
      buckets: stageBuckets,
      registers,
    }),
    wakeUps: new Counter({
      name: 'intent_pump_wake_ups_total',
      help: 'Why the pump rose from its sleep: the doorbell rang, or it was time to poll.',
      labelNames: ['reason'],
      registers,
    }),
    hintsMerged: new Counter({
      name: 'intent_hints_merged_total',
      help: 'Hints that this pump has sent to tenants above their rate, each for all that were withheld since the last.',
      registers,
    }),
    hintsWithheld: new Counter({
      name: 'intent_hints_withheld_events_total',
      help: 'Events that had no hint of their own, and that these told of.',
      registers,
    }),
    connections: new Gauge({
      name: 'intent_pool_connections',
      help: 'Connections to PostgreSQL by pool, and requests that wait for one.',
      labelNames: ['pool', 'state'],
      registers,
    }),
    queue: {
      pending: gauge('intent_queue_pending_commands', 'Commands that could be executed and are not handed over yet.'),
      dispatched: gauge('intent_queue_dispatched_commands', 'Commands that were handed over and have no outcome.'),
      expiredClaims: gauge('intent_queue_expired_claims', 'Claims whose lease has ended without a mark.'),
      oldestWaitingSeconds: gauge('intent_queue_oldest_waiting_seconds', 'How long the pending command waits that was due first.'),
      deadLetters: gauge('intent_queue_dead_letters', 'Commands that have failed and wait for an operator.'),
      reactions: gauge('intent_queue_reactions', 'What process managers have not dealt with yet.'),
      oldestReactionSeconds: gauge('intent_queue_oldest_reaction_seconds', 'How long the first of these waits.'),
      failedProcesses: gauge('intent_queue_failed_processes', 'Instances of process managers that have failed and wait for an operator.'),
      feedLagEvents: gauge('intent_feed_lag_events', 'By how many events the slowest subscription is behind.'),
    },
    queueReadable: gauge('intent_queue_readable', '1 where PostgreSQL could be asked for these figures; else 0, and they are NaN.'),
  };
}
