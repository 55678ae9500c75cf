import type { FinishedSpan } from './tracing.ts';

export interface OtlpSettings {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly serviceName: string;
}

interface SpanSenderDependencies extends OtlpSettings {
  /** Has the runtime live until that has settled, though the request is answered. */
  keepAlive(sending: Promise<void>): void;
  warn(cause: unknown): void;
}

const sendTimeoutMs = 5_000;
/** What the collector does not keep up with is lost: memory is for commands. */
const maxWaiting = 512;
const serverKind = 2;
const failedStatus = 2;

/**
 * Sends spans by OTLP over HTTP: the first at once, and those that end meanwhile together with the next request. OpenTelemetry's
 * SDK would lengthen each cold start, and the one that Deno has built in is not to be had where Supabase runs functions.
 */
export function createSpanSender({ url, headers, serviceName, keepAlive, warn }: SpanSenderDependencies): (span: FinishedSpan) => void {
  const resource = { attributes: toAttributes({ 'service.name': serviceName }) };
  let waiting: FinishedSpan[] = [];
  let isSending = false;

  async function sendAll(): Promise<void> {
    while (waiting.length > 0) {
      const spans = waiting.map(toOtlp);
      waiting = [];
      await post({ resourceSpans: [{ resource, scopeSpans: [{ scope: { name: 'intent' }, spans }] }] }).catch(warn);
    }
    isSending = false;
  }

  async function post(body: object): Promise<void> {
    const response = await fetch(url, {
      method: 'POST',
      headers: { ...headers, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(sendTimeoutMs),
    });
    await response.body?.cancel();
    if (!response.ok) throw new Error(`The collector answered ${response.status}.`);
  }

  return (span) => {
    if (waiting.length < maxWaiting) waiting.push(span);
    if (isSending) return;
    isSending = true;
    keepAlive(sendAll());
  };
}

function toOtlp({ traceId, spanId, parentSpanId, name, startedAt, endedAt, attributes, hasFailed }: FinishedSpan) {
  return {
    traceId,
    spanId,
    parentSpanId: parentSpanId ?? '',
    name,
    kind: serverKind,
    startTimeUnixNano: toNanoseconds(startedAt),
    endTimeUnixNano: toNanoseconds(endedAt),
    attributes: toAttributes(attributes),
    status: hasFailed ? { code: failedStatus } : {},
  };
}

function toAttributes(attributes: FinishedSpan['attributes']) {
  return Object.entries(attributes).flatMap(([key, value]) => {
    if (value === undefined) return [];
    return [{ key, value: typeof value === 'number' ? { intValue: value } : { stringValue: value } }];
  });
}

/** More digits than a number holds. */
function toNanoseconds(ms: number): string {
  return String(BigInt(Math.round(ms * 1_000)) * 1_000n);
}
