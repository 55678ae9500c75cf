import { newSpanId, type Trace } from './trace.ts';

export interface FinishedSpan extends SpanEnd {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | null;
  /** Milliseconds since 1970, in fractions. */
  readonly startedAt: number;
  readonly endedAt: number;
}

interface SpanEnd {
  readonly name: string;
  /** Ids and codes; no payload and no secret. */
  readonly attributes: Readonly<Record<string, string | number | undefined>>;
  readonly hasFailed: boolean;
}

export interface Span {
  /** For what follows: the span of this request, or, if it is not traced, what the request came with. */
  readonly traceparent: string;
  end(end: SpanEnd): void;
}

/** The span of a request. */
export type StartSpan = (trace: Trace) => Span;

interface TracingDependencies {
  /** From 0 to 1. */
  readonly sampledShare: number;
  send(span: FinishedSpan): void;
}

export const withoutTracing: StartSpan = ({ traceparent }) => ({ traceparent, end: () => {} });

export function createTracing({ sampledShare, send }: TracingDependencies): StartSpan {
  return (trace) => {
    const { traceId, parentSpanId } = trace;
    if (!isSampled(traceId, sampledShare)) return withoutTracing(trace);
    const spanId = newSpanId();
    // The clock of `performance` stands still while the platform has an instance sleep.
    const startedAt = Date.now();
    const beganAt = performance.now();
    return {
      traceparent: `00-${traceId}-${spanId}-01`,
      end: (end) => send({ ...end, traceId, spanId, parentSpanId, startedAt, endedAt: startedAt + performance.now() - beganAt }),
    };
  };
}

/** The rule of OpenTelemetry's TraceIdRatioBasedSampler, by which worker and pump decide: a trace is kept whole, or not at all. */
function isSampled(traceId: string, share: number): boolean {
  if (share >= 1) return true;
  const words = traceId.match(/.{8}/g) ?? [];
  return words.reduce((sum, word) => (sum ^ Number.parseInt(word, 16)) >>> 0, 0) < Math.floor(share * 0xffff_ffff);
}
