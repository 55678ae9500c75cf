import { createMetrics, type Metrics, type Stage } from './metrics.ts';
import { createMetricsPage, type MetricsPage } from './metrics-page.ts';
import { startTracing, type Tracing, type TracingConfig } from './telemetry.ts';
import { createTenantClasses, type TenantClasses } from './tenant-classes.ts';
import { createTraceIds, type TraceIds } from './trace-ids.ts';

/** All with which a process tells how it fares. The `observe…` functions put it around the ports; what they wrap knows nothing of it. */
export interface Telemetry {
  readonly metrics: Metrics;
  readonly page: MetricsPage;
  readonly tracing: Tracing;
  readonly traceIds: TraceIds;
  readonly tenantClasses: TenantClasses;
  observeStage(stage: Stage, ms: number): void;
}

export async function createTelemetry(processName: string, config: TracingConfig): Promise<Telemetry> {
  const metrics = createMetrics();
  return {
    metrics,
    page: createMetricsPage(metrics),
    tracing: await startTracing(processName, config),
    traceIds: createTraceIds(),
    tenantClasses: createTenantClasses(),
    observeStage: (stage, ms) => metrics.stages.observe({ stage }, Math.max(0, ms) / 1_000),
  };
}
