import { budgetCommands } from './budget/messages.ts';
import type { CommandDefinition } from './kernel/message.ts';
import { orderCommands } from './order/messages.ts';

/** Every command by its type: the one definition behind the Edge Function, SQL's `message_types`, the worker and the client. */
export const commandDefinitions = { ...orderCommands, ...budgetCommands };

export type CommandType = keyof typeof commandDefinitions;

export function findCommandDefinition(type: string): CommandDefinition | undefined {
  return Object.hasOwn(commandDefinitions, type) ? commandDefinitions[type as CommandType] : undefined;
}
