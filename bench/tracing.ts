import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createTelemetry } from '../src/main/telemetry-context.ts';
import { createTenants } from './append-calls.ts';
import { type BenchDatabase, startBenchServer } from './database.ts';
import { drain } from './inline.ts';
import { type RunningEngine, startInlineEngine } from './inline-engine.ts';
import { quantile } from './quantile.ts';
import { round, toRow, type Row } from './row.ts';

const rounds = 10;
const waitingCount = 10_000;
const tenantCount = 8;
/** Twice as often as Prometheus asks by default. */
const scrapeMs = 7_500;

/** The inline engine with all traces and metrics against the same without: its commands cost least, so what looks on weighs most. */
export async function tracing({ scale }: { scale: number }): Promise<Row[]> {
  const sink = fork(join(import.meta.dirname, 'span-sink.ts'));
  const server = await startBenchServer();
  try {
    const [{ port }] = (await once(sink, 'message')) as [AddressInfo];
    // The exporter reads it by itself.
    process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = `http://127.0.0.1:${port}`;
    const database = await server.createDatabase('tracing');
    await createTenants(database, tenantCount);
    await database.admin.query('select bench.fill_events($1, 1000, 2)', [tenantCount]);
    const commands = Math.ceil(waitingCount * scale);
    const queueOf = (prefix: string) => ({ commands, budgets: commands, tenants: tenantCount, prefix });
    const rates = { on: [] as number[], off: [] as number[] };
    await drain(database, queueOf('warm-up'), startObserved);
    for (let n = 0; n < rounds; n += 1) {
      rates.on.push(await drain(database, queueOf(`on-${n}`), startObserved));
      rates.off.push(await drain(database, queueOf(`off-${n}`), startUnobserved));
    }
    return [toRow({
      benchmark: 'tracing',
      measured: `draining ${commands} commands with all traces and metrics : without any`,
      values: rates.on.map((rate, n) => rate / rates.off[n]!),
      goal: { atLeast: 0.95 },
      figures: `${round(quantile(rates.on, 0.5))}/s : ${round(quantile(rates.off, 0.5))}/s`,
    })];
  } finally {
    delete process.env['OTEL_EXPORTER_OTLP_ENDPOINT'];
    await server.stop();
    sink.kill();
  }
}

async function startObserved(database: BenchDatabase): Promise<RunningEngine> {
  const endpoint = process.env['OTEL_EXPORTER_OTLP_ENDPOINT'];
  const telemetry = await createTelemetry('bench', { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_TRACES_SAMPLER_ARG: 1 });
  const engine = await startInlineEngine(database, telemetry);
  const scraping = setInterval(() => void telemetry.page.render(), scrapeMs);
  return {
    ...engine,
    async stop() {
      clearInterval(scraping);
      await engine.stop();
      await telemetry.tracing.stop();
    },
  };
}

function startUnobserved(database: BenchDatabase): Promise<RunningEngine> {
  return startInlineEngine(database, null);
}
