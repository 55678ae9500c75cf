import { pino } from 'pino';
import { expect, it } from 'vitest';
import { systemClock } from '../adapters/system/clock.ts';
import type { ClaimedCommand } from '../ports/command-queue.ts';
import { createMarks } from './marks.ts';

const log = pino({ level: 'silent' });
const command = (commandId: string) => ({ commandId }) as ClaimedCommand;

it('a closing pump marks at once what it has gathered', async () => {
  const batches: string[][] = [];
  const markDispatched = async (commands: readonly ClaimedCommand[]) => {
    batches.push(commands.map(({ commandId }) => commandId));
    return commands.length;
  };
  const marks = createMarks({ queue: { markDispatched }, clock: systemClock, log });
  marks.add(command('a'));
  marks.add(command('b'));
  await marks.close();
  expect(batches).toEqual([['a', 'b']]);
});

it('commands that could not be marked do not keep the next ones from it', async () => {
  const batches: string[][] = [];
  const markDispatched = async (commands: readonly ClaimedCommand[]) => {
    batches.push(commands.map(({ commandId }) => commandId));
    if (batches.length === 1) throw new Error('PostgreSQL is away');
    return commands.length;
  };
  const marks = createMarks({ queue: { markDispatched }, clock: systemClock, log });
  marks.add(command('a'));
  await expect.poll(() => batches).toEqual([['a']]);
  marks.add(command('b'));
  await marks.close();
  expect(batches).toEqual([['a'], ['b']]);
});

it('counts those that had not ended when they were marked, until nothing is started any more', async () => {
  const [first, second] = [Promise.withResolvers<number>(), Promise.withResolvers<number>()];
  const answers = [first.promise, second.promise];
  const marks = createMarks({ queue: { markDispatched: () => answers.shift()! }, clock: systemClock, log });
  marks.add(command('a'));
  marks.add(command('b'));
  expect(marks.countSlow()).toBe(0);
  await expect.poll(() => answers).toHaveLength(1);
  marks.add(command('c'));
  first.resolve(2);
  await expect.poll(() => marks.countSlow()).toBe(2);
  await expect.poll(() => answers).toHaveLength(0);
  expect(marks.countSlow()).toBe(0);
  second.resolve(1);
  await marks.close();
});
