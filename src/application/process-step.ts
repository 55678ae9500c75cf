import { findCommandDefinition } from '../domain/commands.ts';
import type { CommandDefinition } from '../domain/kernel/message.ts';
import type { Effect, ProcessManager, Reaction } from '../domain/kernel/process.ts';
import type { VersionedMessage } from '../domain/kernel/upcast.ts';
import type { LoadedProcess, ProcessAdvance, ProcessCall, ProcessCommand, ProcessReference } from '../ports/process-store.ts';
import { derivedCommandId } from './derived-command-id.ts';
import { readEvent } from './read-message.ts';

/** A message as the store queued it. The store and the kernel agree on its shape. */
type Message =
  | Exclude<Reaction, { kind: 'event' }>
  | { readonly kind: 'event'; readonly event: QueuedEvent };

interface QueuedEvent extends VersionedMessage {
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly metadata: { readonly commandId?: string };
}

/** A command without its id, which depends on all that come before it. */
type CommandToSend = Omit<ProcessCommand, 'commandId'>;

/** What a step has come to so far. */
interface Draft {
  state: unknown;
  readonly timers: Map<string, string>;
  readonly commands: CommandToSend[];
  readonly calls: Map<string, ProcessCall>;
  readonly endedCalls: Set<string>;
}

/** Reacts to all that is loaded, in order, and then to the timers that are still due: what is to be stored of it. Throws `ReleaseOutdated`. */
export async function nextAdvance(manager: ProcessManager, reference: ProcessReference, loaded: LoadedProcess): Promise<ProcessAdvance> {
  const draft: Draft = {
    state: loaded.state,
    timers: new Map(Object.entries(loaded.timers)),
    commands: [],
    calls: new Map(),
    endedCalls: new Set(),
  };
  const react = (reaction: Reaction, causationId: string | null) => {
    const { state, effects } = manager.react(draft.state, reaction, { key: reference.key });
    draft.state = state;
    for (const effect of effects) apply(effect, draft, loaded, causationId);
  };

  for (const { message } of loaded.reactions) react(read(message as Message), causeOf(message as Message));
  for (const name of loaded.dueTimers) {
    // It may have been cleared or set anew by what came before.
    if (draft.timers.get(name) !== loaded.timers[name]) continue;
    draft.timers.delete(name);
    react({ kind: 'timer', name }, null);
  }
  const hasEnded = manager.hasEnded(draft.state);
  if (hasEnded) giveUpEverything(draft, loaded);

  return {
    state: draft.state,
    stateVersion: manager.stateVersion,
    status: hasEnded ? 'done' : 'open',
    timers: Object.fromEntries(draft.timers),
    commands: await Promise.all(
      draft.commands.map(async (command, index) => ({
        commandId: await derivedCommandId(reference, loaded.step, index),
        ...command,
      })),
    ),
    calls: [...draft.calls.values()],
    endedCalls: [...draft.endedCalls],
    acknowledged: loaded.reactions.map(({ sequence }) => sequence),
  };
}

/** What waits may have been queued by an older release. */
function read(message: Message): Reaction {
  return message.kind === 'event' ? { kind: 'event', event: readEvent(message.event) } : message;
}

function apply(effect: Effect, draft: Draft, loaded: LoadedProcess, causationId: string | null): void {
  switch (effect.kind) {
    case 'send': {
      const { aggregateId, command } = effect;
      const { aggregateType, schemaVersion } = definitionOf(command.type);
      draft.commands.push({ ...command, schemaVersion, aggregateType, aggregateId, causationId });
      return;
    }
    case 'call': {
      const { callId, name, request } = effect;
      draft.calls.set(callId, { callId, name, request });
      return;
    }
    case 'give_up_call':
      giveUp(effect.callId, draft, loaded);
      return;
    case 'set_timer':
      draft.timers.set(effect.name, secondsAfter(loaded.now, effect.afterSeconds));
      return;
    case 'clear_timer':
      draft.timers.delete(effect.name);
      return;
    default:
      effect satisfies never;
  }
}

function giveUp(callId: string, { calls, endedCalls }: Draft, loaded: LoadedProcess): void {
  calls.delete(callId);
  if (loaded.calls.some((call) => call.callId === callId)) endedCalls.add(callId);
}

function giveUpEverything(draft: Draft, loaded: LoadedProcess): void {
  draft.timers.clear();
  for (const { callId } of [...draft.calls.values(), ...loaded.calls]) giveUp(callId, draft, loaded);
}

function definitionOf(commandType: string): CommandDefinition {
  const definition = findCommandDefinition(commandType);
  if (definition === undefined) throw new Error(`There is no command ${commandType}.`);
  return definition;
}

/** The command behind it; a timer, an answer or a cancellation has none. */
function causeOf(message: Message): string | null {
  if (message.kind === 'event') return message.event.metadata.commandId ?? null;
  return message.kind === 'outcome' ? message.commandId : null;
}

function secondsAfter(time: string, seconds: number): string {
  return new Date(Date.parse(time) + seconds * 1000).toISOString();
}
