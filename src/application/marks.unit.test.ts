import { pino } from 'pino';
import { expect, it } from 'vitest';
import { systemClock } from '../adapters/system/clock.ts';
import type { ClaimedCommand } from '../ports/command-queue.ts';
import { createMarks } from './marks.ts';

const log = pino({ level: 'silent' });
const command = (commandId: string) => ({ commandId }) as ClaimedCommand;

it('a closing pump marks at once what it has gathered', async () => {
  const batches: string[][] = [];
  const markDispatched = async (commands: readonly ClaimedCommand[]) => void batches.push(commands.map(({ commandId }) => commandId));
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
  };
  const marks = createMarks({ queue: { markDispatched }, clock: systemClock, log });
  marks.add(command('a'));
  await expect.poll(() => batches).toEqual([['a']]);
  marks.add(command('b'));
  await marks.close();
  expect(batches).toEqual([['a'], ['b']]);
});
