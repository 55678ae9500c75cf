import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { ROOT_CONTEXT } from '@opentelemetry/api';
import { SamplingDecision, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace';
import { expect, onTestFinished, test } from 'vitest';
import { createSpanSender } from '../../../supabase/functions/command/otlp.ts';
import { readTrace } from '../../../supabase/functions/command/trace.ts';
import { createTracing, type FinishedSpan } from '../../../supabase/functions/command/tracing.ts';

test('the function keeps the traces that worker and pump keep', () => {
  for (const sampledShare of [0, 0.1, 0.5, 1]) {
    const sampler = new TraceIdRatioBasedSampler(sampledShare);
    for (let n = 0; n < 200; n += 1) {
      const trace = readTrace(null);
      const sent: FinishedSpan[] = [];
      createTracing({ sampledShare, send: (span) => sent.push(span) })(trace).end({ name: 'submit', attributes: {}, hasFailed: false });
      const isKept = sampler.shouldSample(ROOT_CONTEXT, trace.traceId).decision === SamplingDecision.RECORD_AND_SAMPLED;
      expect(sent.map(({ traceId }) => traceId)).toEqual(isKept ? [trace.traceId] : []);
    }
  }
});

test('spans that end while others are under way go together, and a collector that refuses them is a line in the log', async () => {
  const received: { readonly spans: string[]; readonly response: ServerResponse; readonly key: unknown }[] = [];
  const collector = createServer((request, response) => {
    void json(request).then((body) => {
      const { resourceSpans } = body as { resourceSpans: { scopeSpans: { spans: { name: string }[] }[] }[] };
      received.push({ spans: resourceSpans[0]!.scopeSpans[0]!.spans.map(({ name }) => name), response, key: request.headers['x-key'] });
      collector.emit('spans');
    });
  });
  collector.listen(0, '127.0.0.1');
  onTestFinished(() => collector.close().closeAllConnections());
  await once(collector, 'listening');
  const warnings: unknown[] = [];
  let sending = Promise.resolve();
  const send = createSpanSender({
    url: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
    headers: { 'x-key': 'of the collector' },
    serviceName: 'intent-function',
    keepAlive: (work) => void (sending = work),
    warn: (cause) => warnings.push(cause),
  });
  const spanOf = (name: string): FinishedSpan =>
    ({ name, traceId: '1'.repeat(32), spanId: '2'.repeat(16), parentSpanId: null, startedAt: 0, endedAt: 1, attributes: {}, hasFailed: false });

  send(spanOf('first'));
  await once(collector, 'spans');
  for (let n = 1; n <= 600; n += 1) send(spanOf(`later ${n}`));
  received[0]!.response.end('{}');
  await once(collector, 'spans');
  received[1]!.response.writeHead(500).end();
  await sending;
  send(spanOf('last'));
  await once(collector, 'spans');

  expect(received.map(({ spans, key }) => [spans[0], spans.length, key])).toEqual([
    ['first', 1, 'of the collector'],
    ['later 1', 512, 'of the collector'],
    ['last', 1, 'of the collector'],
  ]);
  expect(String(warnings)).toBe('Error: The collector answered 500.');
});
