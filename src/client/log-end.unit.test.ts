import { expect, test } from 'vitest';
import { createLogEnd } from './log-end.ts';

const unavailable = expect.objectContaining({ code: 'UNAVAILABLE' });

test('a log that goes on ending before what was applied is believed at the third look in a row', () => {
  const logEnd = createLogEnd();
  const look = (head: number) => () => logEnd.isBefore(10, head);
  expect(look(9)).toThrow(unavailable);
  expect(look(9)).toThrow(unavailable);
  expect(look(10)()).toBe(false);
  expect(look(9)).toThrow(unavailable);
  expect(look(8)).toThrow(unavailable);
  expect(look(8)()).toBe(true);
  expect(look(8)).toThrow(unavailable);
});
