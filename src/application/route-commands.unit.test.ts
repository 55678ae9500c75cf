import { expect, it } from 'vitest';
import type { CommandDispatcher, Handover } from '../ports/command-dispatcher.ts';
import type { ClaimedCommand } from '../ports/command-queue.ts';
import { createCommandRouter } from './route-commands.ts';

function command(commandId: string, execution: ClaimedCommand['execution']): ClaimedCommand {
  return { tenantId: 't', commandId, type: 'OpenBudget', correlationId: commandId, traceparent: null, fencingToken: '1', isolation: 'shared', fairnessWeight: 1, execution, attempts: 1, waitedSeconds: 0 };
}

/** Takes everything and notes what. */
function recorder(handover: Handover) {
  const batches: string[][] = [];
  const dispatcher: CommandDispatcher = {
    dispatchAll(commands) {
      batches.push(commands.map(({ commandId }) => commandId));
      return commands.map(async () => handover);
    },
  };
  return { batches, dispatcher };
}

it('gives each engine its commands in one batch and in their order, unknown types to Temporal, and answers in the order of all', async () => {
  const temporal = recorder('started');
  const inline = recorder('ended');
  const router = createCommandRouter({ temporal: temporal.dispatcher, inline: inline.dispatcher });
  const handovers = router.dispatchAll([command('a', 'inline'), command('b', 'temporal'), command('c', null), command('d', 'inline')]);
  expect(await Promise.all(handovers)).toEqual(['ended', 'started', 'started', 'ended']);
  expect(temporal.batches).toEqual([['b', 'c']]);
  expect(inline.batches).toEqual([['a', 'd']]);
});
