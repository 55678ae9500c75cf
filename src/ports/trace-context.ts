const version00 = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}$/;

/** Where a trace stands, as W3C's `traceparent` carries it with a command and its events. */
export interface TraceContext {
  readonly traceId: string;
  readonly spanId: string;
}

/** Undefined if there is none, or none that can be read. */
export function readTraceparent(traceparent: string | null): TraceContext | undefined {
  const [, traceId, spanId] = (traceparent === null ? null : version00.exec(traceparent)) ?? [];
  return traceId === undefined || spanId === undefined ? undefined : { traceId, spanId };
}

/** For log lines: what finds the trace that they belong to. */
export function traceIdOf(traceparent: string | null): string | undefined {
  return readTraceparent(traceparent)?.traceId;
}
