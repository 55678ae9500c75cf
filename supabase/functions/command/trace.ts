/** W3C trace context: the caller's if it is valid, else a new one, so that log, command and events always share an id. */
export interface Trace {
  readonly traceId: string;
  /** The caller's span; null if the trace is a new one. */
  readonly parentSpanId: string | null;
  readonly traceparent: string;
}

const version00 = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}$/;

export function readTrace(header: string | null): Trace {
  const [traceparent, traceId, parentSpanId] = (header === null ? null : version00.exec(header)) ?? [];
  if (traceparent !== undefined && traceId !== undefined && parentSpanId !== undefined) return { traceId, parentSpanId, traceparent };
  const newTraceId = randomHex(16);
  return { traceId: newTraceId, parentSpanId: null, traceparent: `00-${newTraceId}-${newSpanId()}-00` };
}

export function newSpanId(): string {
  return randomHex(8);
}

function randomHex(bytes: number): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
