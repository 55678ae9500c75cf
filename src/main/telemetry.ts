import { type Attributes, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, trace, TraceFlags } from '@opentelemetry/api';
import { readTraceparent } from '../ports/trace-context.ts';

export interface TracingConfig {
  readonly OTEL_EXPORTER_OTLP_ENDPOINT?: string | undefined;
  readonly OTEL_EXPORTER_OTLP_TRACES_ENDPOINT?: string | undefined;
  readonly OTEL_SDK_DISABLED?: 'true' | 'false' | undefined;
  readonly OTEL_TRACES_SAMPLER_ARG: number;
}

export type SpanRole = 'producer' | 'consumer' | 'client' | 'internal';
const kinds = { producer: SpanKind.PRODUCER, consumer: SpanKind.CONSUMER, client: SpanKind.CLIENT, internal: SpanKind.INTERNAL } as const;

export interface SpanOptions {
  /** What it continues: a row's `traceparent`, or a span of this process. */
  readonly parent: string | null | Span;
  readonly role: SpanRole;
  /** Milliseconds since 1970; now if it is not given. */
  readonly startedAt?: number;
  readonly attributes?: Attributes;
}

export interface Tracing {
  start(name: string, options: SpanOptions): Span;
  /** Sends what is left. Never throws: a collector that is away must not keep a process from its end. */
  stop(): Promise<void>;
}

/** If no endpoint is given nothing is loaded, and spans are empty objects. */
export async function startTracing(processName: string, config: TracingConfig): Promise<Tracing> {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: all, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: traces, OTEL_SDK_DISABLED: disabled } = config;
  const isOn = (all ?? traces) !== undefined && disabled !== 'true';
  if (!isOn) return createTracing(trace.getTracer('intent'), async () => {});
  const { createExportingProvider } = await import('./telemetry-export.ts');
  const provider = createExportingProvider(`intent-${processName}`, config.OTEL_TRACES_SAMPLER_ARG);
  return createTracing(provider.getTracer('intent'), () => provider.shutdown());
}

function createTracing(tracer: ReturnType<typeof trace.getTracer>, shutdown: () => Promise<void>): Tracing {
  return {
    start(name, { parent, role, startedAt, attributes }) {
      const options = { kind: kinds[role], ...(startedAt !== undefined && { startTime: startedAt }), ...(attributes && { attributes }) };
      return tracer.startSpan(name, options, contextOf(parent));
    },
    stop: () => shutdown().catch(() => {}),
  };
}

function contextOf(parent: string | null | Span) {
  if (parent !== null && typeof parent !== 'string') return trace.setSpan(ROOT_CONTEXT, parent);
  const remote = readTraceparent(parent);
  if (remote === undefined) return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, { ...remote, traceFlags: TraceFlags.SAMPLED, isRemote: true });
}

/** Ends a span as its work has ended. */
export async function inSpan<Value>(span: Span, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    failSpan(span, error);
    throw error;
  } finally {
    span.end();
  }
}

/** By the error's name: its message may hold what somebody has sent. */
export function failSpan(span: Span, error: unknown): void {
  span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.name : 'unknown' });
}
