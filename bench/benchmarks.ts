import type { Row } from './row.ts';

export interface Benchmark {
  readonly about: string;
  /** `scale` 1 is the full work; less is for seeing whether it runs. */
  run(options: { scale: number }): Promise<Row[]>;
}

/** Each is loaded when it runs: the help need not wait for the packages of a whole stack. */
export const benchmarks: ReadonlyMap<string, Benchmark> = new Map([
  ['flow', {
    about: 'one command at a time over HTTP with Prefer: wait, through the whole flow',
    run: async (options) => (await import('./flow.ts')).flow(options),
  }],
  ['client-latency', {
    about: 'from an append to the event applied by a client, at 50 events a second; hydrate with a snapshot',
    run: async (options) => (await import('./client-latency.ts')).clientLatency(options),
  }],
  ['fan-out', {
    about: '100 events to 500 clients of one gateway: what is lost, and how late the rest comes',
    run: async (options) => (await import('./fan-out.ts')).fanOut(options),
  }],
  ['append', {
    about: 'append_events against a raw INSERT of the same row, at 2, 8 and 32 connections',
    run: async (options) => (await import('./append.ts')).append(options),
  }],
  ['append-sizes', {
    about: '1, 10, 100 and 1,000 events in one append against one raw INSERT of the same rows',
    run: async (options) => (await import('./append-sizes.ts')).appendSizes(options),
  }],
  ['append-steps', {
    about: 'from a raw INSERT to append_events step by step: where the time goes',
    run: async (options) => (await import('./append-steps.ts')).appendSteps(options),
  }],
  ['hot-tenant', {
    about: 'append_events on one tenant against raw INSERTs under the same lock',
    run: async (options) => (await import('./hot-tenant.ts')).hotTenant(options),
  }],
  ['doorbell', {
    about: 'submissions with a pump awake, and asleep, against submissions without a doorbell',
    run: async (options) => (await import('./doorbell.ts')).doorbell(options),
  }],
  ['claim', {
    about: 'claims from 100,000 waiting behind 1,000,000 settled commands; fairness',
    run: async (options) => (await import('./claim.ts')).claim(options),
  }],
  ['wake-up', {
    about: 'from a submission to the dispatch by a pump that was asleep',
    run: async (options) => (await import('./wake-up.ts')).wakeUp(options),
  }],
  ['walls', {
    about: 'submit_command, hydrate and read_feed with policies and memberships against the same calls without',
    run: async (options) => (await import('./walls.ts')).walls(options),
  }],
  ['answer-time', {
    about: "get_command and hydrate of another tenant's ids against ids that are not there",
    run: async (options) => (await import('./answer-time.ts')).answerTime(options),
  }],
  ['inline', {
    about: 'the inline engine: draining a full queue, one hot aggregate, one command at a time, end to end',
    run: async (options) => (await import('./inline.ts')).inline(options),
  }],
  ['standalone', {
    about: 'an empty activity by itself against an empty workflow: what one workflow a command costs',
    run: async (options) => (await import('./standalone.ts')).standalone(options),
  }],
  ['temporal', {
    about: 'commands through Temporal and through the inline engine against bare workflows; memory of a worker',
    run: async (options) => (await import('./temporal.ts')).temporal(options),
  }],
  ['load', {
    about: 'one tenant that makes 90 % of the load; ten times what the machine can do, for a minute',
    run: async (options) => (await import('./load.ts')).load(options),
  }],
  ['tracing', {
    about: 'the inline engine with all traces and metrics against the same without',
    run: async (options) => (await import('./tracing.ts')).tracing(options),
  }],
  ['growth', {
    about: 'append and load among 5,000,000 events; a stream of 100,000 with a snapshot',
    run: async (options) => (await import('./growth.ts')).growth(options),
  }],
  ['feed', {
    about: 'a feed of 1,000,000 events page by page, the last ones against the first; hydrate with a snapshot',
    run: async (options) => (await import('./feed.ts')).feed(options),
  }],
  ['partitions', {
    about: 'append, load and claim in 16 partitions by tenant against plain tables',
    run: async (options) => (await import('./partitions.ts')).partitions(options),
  }],
] satisfies [string, Benchmark][]);
