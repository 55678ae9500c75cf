import { describe } from 'vitest';
import { itDispatchesCommands } from '../../testing/dispatcher-contract.ts';
import { createInlineDispatcher } from './dispatcher.ts';

describe('the inline engine', () => {
  itDispatchesCommands(async (deps) => ({ dispatcher: createInlineDispatcher(deps), stop: async () => {} }));
});
