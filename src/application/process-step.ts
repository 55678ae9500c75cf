import { findCommandDefinition } from '../domain/commands.ts';
import type { CommandDefinition } from '../domain/kernel/message.ts';
import type { Effect, ProcessManager, Reaction } from '../domain/kernel/process.ts';
import type { VersionedMessage } from '../domain/kernel/upcast.ts';
import type { LoadedProcess, NewProcessCall, ProcessAdvance, ProcessCommand, ProcessReference, ProcessTraceEntry } from '../ports/process-store.ts';
import { readEvent } from './read-message.ts';

/** A message as the store queued it. The store and the kernel agree on its shape. An answer tells which command is behind its call. */
type Message =
  | Exclude<Reaction, { kind: 'event' | 'answer' }>
  | (Extract<Reaction, { kind: 'answer' }> & { readonly causationId?: string | null })
  | { readonly kind: 'event'; readonly event: QueuedEvent };

interface QueuedEvent extends VersionedMessage {
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly position: number;
  readonly metadata: { readonly commandId?: string };
}

/** What is behind a command, a call or a timer: the command that set it off, and the entry of the trace that came directly before. */
type Cause = Pick<ProcessCommand, 'causationId' | 'cause'>;

interface Timer {
  readonly dueAt: string;
  readonly causationId: string | null;
}

/** What a step has come to so far. */
interface Draft {
  state: unknown;
  readonly timers: Map<string, Timer>;
  readonly commands: ProcessCommand[];
  readonly calls: Map<string, NewProcessCall>;
  readonly endedCalls: Set<string>;
  readonly trace: ProcessTraceEntry[];
}

/** One step keeps the thread for so long, and one reaction more: what is left waits for the next. */
const longestStepMs = 100;

/** Reacts to what is loaded, in order, and then to the timers that are still due: what is to be stored of it. Throws `ReleaseOutdated`. */
export function nextAdvance(manager: ProcessManager, reference: ProcessReference, loaded: LoadedProcess): ProcessAdvance {
  const draft: Draft = {
    state: loaded.state,
    timers: new Map(Object.entries(loaded.timers).map(([name, dueAt]) => [name, { dueAt, causationId: loaded.timerCauses[name] ?? null }])),
    commands: [],
    calls: new Map(),
    endedCalls: new Set(),
    trace: [],
  };
  const react = (reaction: Reaction, cause: Cause) => {
    const { state, effects } = manager.react(draft.state, reaction, { key: reference.key });
    draft.state = state;
    for (const effect of effects) apply(effect, draft, loaded, cause);
  };

  const acknowledged: number[] = [];
  const endsAt = performance.now() + longestStepMs;
  for (const { sequence, message } of loaded.reactions) {
    if (acknowledged.length > 0 && performance.now() >= endsAt) break;
    react(read(message as Message), causeOf(message as Message));
    acknowledged.push(sequence);
  }
  for (const name of acknowledged.length < loaded.reactions.length ? [] : loaded.dueTimers) {
    // It may have been cleared or set anew by what came before.
    const timer = draft.timers.get(name);
    if (timer === undefined || timer.dueAt !== loaded.timers[name]) continue;
    draft.timers.delete(name);
    const id = `timer ${name} fired`;
    draft.trace.push({ what: 'timer', id, name, status: 'fired', causationId: timer.causationId, cause: `timer ${name}` });
    react({ kind: 'timer', name }, { causationId: timer.causationId, cause: id });
  }
  const hasEnded = manager.hasEnded(draft.state);
  if (hasEnded) giveUpEverything(draft, loaded);

  return {
    state: draft.state,
    stateVersion: manager.stateVersion,
    status: hasEnded ? 'done' : 'open',
    timers: Object.fromEntries([...draft.timers].map(([name, { dueAt }]) => [name, dueAt])),
    timerCauses: Object.fromEntries([...draft.timers].map(([name, { causationId }]) => [name, causationId])),
    commands: draft.commands,
    calls: [...draft.calls.values()],
    endedCalls: [...draft.endedCalls],
    acknowledged,
    trace: draft.trace,
  };
}

/** What waits may have been queued by an older release. */
function read(message: Message): Reaction {
  return message.kind === 'event' ? { kind: 'event', event: readEvent(message.event) } : message;
}

function apply(effect: Effect, draft: Draft, loaded: LoadedProcess, cause: Cause): void {
  switch (effect.kind) {
    case 'send': {
      const { aggregateId, command } = effect;
      const { aggregateType, schemaVersion } = definitionOf(command.type);
      // The store takes a step once, so a repetition need not have the same id; and what nobody can know, nobody can take beforehand.
      draft.commands.push({ ...command, commandId: crypto.randomUUID(), schemaVersion, aggregateType, aggregateId, ...cause });
      return;
    }
    case 'call': {
      const { callId, name, request } = effect;
      draft.calls.set(callId, { callId, name, request, causationId: cause.causationId });
      draft.trace.push({ what: 'call', id: `call ${callId}`, name, status: 'made', ...cause });
      return;
    }
    case 'give_up_call':
      if (!giveUp(effect.callId, draft, loaded)) return;
      draft.trace.push({ what: 'call', id: `call ${effect.callId} given up`, name: null, status: 'given up', ...cause });
      return;
    case 'set_timer':
      draft.timers.set(effect.name, { dueAt: secondsAfter(loaded.now, effect.afterSeconds), causationId: cause.causationId });
      draft.trace.push({ what: 'timer', id: `timer ${effect.name}`, name: effect.name, status: 'set', ...cause });
      return;
    case 'clear_timer':
      if (!draft.timers.delete(effect.name)) return;
      draft.trace.push({ what: 'timer', id: `timer ${effect.name} cleared`, name: effect.name, status: 'cleared', ...cause });
      return;
    default:
      effect satisfies never;
  }
}

/** False if it is not open any more. */
function giveUp(callId: string, { calls, endedCalls }: Draft, loaded: LoadedProcess): boolean {
  const isOpen = loaded.calls.some((call) => call.callId === callId);
  if (isOpen) endedCalls.add(callId);
  return calls.delete(callId) || isOpen;
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

/** An operator's cancellation, and an event that no command made, have no command behind them. */
function causeOf(message: Message): Cause {
  switch (message.kind) {
    case 'event':
      return { causationId: message.event.metadata.commandId ?? null, cause: `position ${message.event.position}` };
    case 'outcome':
      return { causationId: message.commandId, cause: message.commandId };
    case 'answer':
      return { causationId: message.causationId ?? null, cause: `answer ${message.callId}` };
    case 'cancel':
      return { causationId: null, cause: 'cancellation' };
    case 'timer':
      // Timers are not queued: they are found to be due.
      return { causationId: null, cause: `timer ${message.name} fired` };
    default:
      return message satisfies never;
  }
}

function secondsAfter(time: string, seconds: number): string {
  return new Date(Date.parse(time) + seconds * 1000).toISOString();
}
