import type { Pool } from 'pg';
import type { QueueFigures, ReadQueueFigures } from '../ports/queue-figures.ts';
import type { Metrics } from './metrics.ts';

/** However many ask for the page, the database is asked this often. */
const oldestFiguresMs = 5_000;

export interface MetricsPage {
  /** Shows a pool's connections from now on. */
  watchPool(name: string, pool: Pool): void;
  /** Shows the queue's figures from now on. */
  watchQueue(read: ReadQueueFigures): void;
  /** In Prometheus' text format. Never throws: what cannot be read is NaN. */
  render(): Promise<string>;
  readonly contentType: string;
}

export function createMetricsPage(metrics: Metrics): MetricsPage {
  const pools = new Map<string, Pool>();
  let read: ReadQueueFigures | undefined;
  let refreshed = { at: -Infinity, done: Promise.resolve() };

  async function refreshQueue(readFigures: ReadQueueFigures): Promise<void> {
    const figures = await readFigures().catch(() => undefined);
    metrics.queueReadable.set(figures === undefined ? 0 : 1);
    for (const [name, gauge] of Object.entries(metrics.queue)) gauge.set(figures?.[name as keyof QueueFigures] ?? Number.NaN);
  }

  return {
    contentType: metrics.registry.contentType,
    watchPool: (name, pool) => void pools.set(name, pool),
    watchQueue(readFigures) {
      read = readFigures;
    },
    async render() {
      for (const [pool, { totalCount, idleCount, waitingCount }] of pools) {
        metrics.connections.set({ pool, state: 'in_use' }, totalCount - idleCount);
        metrics.connections.set({ pool, state: 'idle' }, idleCount);
        metrics.connections.set({ pool, state: 'waited_for' }, waitingCount);
      }
      const now = performance.now();
      if (read !== undefined && now - refreshed.at >= oldestFiguresMs) refreshed = { at: now, done: refreshQueue(read) };
      await refreshed.done;
      return metrics.registry.metrics();
    },
  };
}
