import { expect, test } from 'vitest';
import { decodeFrame, encodeFrame, isVersion } from './frames.ts';

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
