/** W3C trace context: the caller's where it is valid, else a new one, so that log, command and events always share an id. */
export interface Trace {
  readonly traceId: string;
  readonly traceparent: string;
}

const version00 = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

export function readTrace(header: string | null): Trace {
  const traceId = header === null ? undefined : version00.exec(header)?.[1];
  if (header !== null && traceId !== undefined) return { traceId, traceparent: header };
  const newTraceId = randomHex(16);
  return { traceId: newTraceId, traceparent: `00-${newTraceId}-${randomHex(8)}-00` };
}

function randomHex(bytes: number): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
