import type { CommandDispatcher, Handover } from '../ports/command-dispatcher.ts';
import type { ClaimedCommand } from '../ports/command-queue.ts';

/** Sends each command to the engine that its type asks for; one of an unknown type to Temporal's, which dead-letters it. */
export function createCommandRouter(engines: { readonly temporal: CommandDispatcher; readonly inline: CommandDispatcher }): CommandDispatcher {
  return {
    dispatchAll(commands) {
      const handovers = new Map<ClaimedCommand, Promise<Handover>>();
      for (const [execution, own] of Map.groupBy(commands, (command) => command.execution ?? 'temporal')) {
        engines[execution].dispatchAll(own).forEach((handover, index) => handovers.set(own[index]!, handover));
      }
      return commands.map((command) => handovers.get(command)!);
    },
  };
}
