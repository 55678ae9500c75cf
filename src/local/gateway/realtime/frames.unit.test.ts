import { expect, test } from 'vitest';
import { decodeFrame, encodeBroadcast, encodeFrame, isVersion } from './frames.ts';

const frame = { joinRef: '1', ref: '2', topic: 'realtime:x', event: 'phx_join', payload: { a: 1 } };

test('version 2.0.0 is an array', () => {
  const text = encodeFrame('2.0.0', frame, '{"a":1}');
  expect(JSON.parse(text)).toEqual(['1', '2', 'realtime:x', 'phx_join', { a: 1 }]);
  expect(decodeFrame('2.0.0', text)).toEqual(frame);
});

test('version 1.0.0 is an object', () => {
  const text = encodeFrame('1.0.0', frame, '{"a":1}');
  expect(JSON.parse(text)).toEqual({ join_ref: '1', ref: '2', topic: 'realtime:x', event: 'phx_join', payload: { a: 1 } });
  expect(decodeFrame('1.0.0', text)).toEqual(frame);
});

test('a number of the payload keeps every digit', () => {
  expect(encodeFrame('2.0.0', frame, '{"n":12345678901234567890}')).toContain('12345678901234567890');
});

test('a heartbeat has no join ref', () => {
  expect(decodeFrame('2.0.0', '[null,"14","phoenix","heartbeat",{}]')).toMatchObject({ joinRef: null, ref: '14' });
});

const longTopic = `["1","2","${'t'.repeat(256)}","x",{}]`;
const topicWithNul = '["1","2","a\\u0000b","x",{}]';

test.each(['', '{', '[]', '{}', 'null', '["1","2",3,"x",{}]', longTopic, topicWithNul])('%j is no frame', (text) => {
  expect(decodeFrame('2.0.0', text)).toBeNull();
});

test('only the two versions are known', () => {
  expect(['1.0.0', '2.0.0', '3.0.0', 'toString'].map(isVersion)).toEqual([true, true, false, false]);
});

const broadcast = { id: 'b', event: 'appended', payload: '{"n":12345678901234567890}' };
const channel = { joinRef: '1', topic: 'realtime:x' };

test('a broadcast of version 2.0.0 is binary: kind 4, three lengths, 1 for JSON, topic, event, meta, payload', () => {
  const head = Buffer.from([4, 'realtime:x'.length, 'appended'.length, '{"id":"b"}'.length, 1]);
  const rest = Buffer.from('realtime:xappended{"id":"b"}{"n":12345678901234567890}');
  expect(encodeBroadcast('2.0.0', channel, broadcast)).toEqual(Buffer.concat([head, rest]));
});

test.each([
  ['of version 1.0.0', '1.0.0', 'appended'],
  ['whose event has a longer name than a byte can tell', '2.0.0', 'e'.repeat(256)],
] as const)('a broadcast %s is text', (_, version, event) => {
  const text = encodeBroadcast(version, channel, { ...broadcast, event });
  expect(text).toBeTypeOf('string');
  const payload = { event, type: 'broadcast', meta: { id: 'b' } };
  expect(decodeFrame(version, String(text))).toMatchObject({ ...channel, ref: null, event: 'broadcast', payload });
});
