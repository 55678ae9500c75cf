import { nextAdvance } from '../application/process-step.ts';
import { budgetSlice, type BudgetState } from '../domain/budget/budget.ts';
import type { DecisionContext, DomainMessage } from '../domain/kernel/decider.ts';
import type { ProcessManager, Reaction } from '../domain/kernel/process.ts';
import type { Slice } from '../domain/kernel/slice.ts';
import { orderSlice, type OrderState } from '../domain/order/order.ts';
import type { LoadedProcess, ProcessCall, ProcessCommand } from '../ports/process-store.ts';
import { budgetId, orderId } from './fulfilment.ts';

const tenantId = '00000000-0000-4000-8000-000000000001';
const system = { userId: null, role: 'system' } as const;

interface QueuedCommand {
  readonly aggregateId: string;
  readonly command: DomainMessage;
  readonly actor: DecisionContext['actor'];
  /** Of the process manager's: it is told the outcome. */
  readonly sent?: ProcessCommand;
}

/**
 * One order, its budget, and the process manager between them, as the whole system runs them but without any server: commands wait
 * in order for each aggregate, reactions wait in order for the process, and anyone who drives the model says what happens next.
 */
export function createFulfilmentModel(manager: ProcessManager) {
  const states = { order: orderSlice.decider.initialState, budget: budgetSlice.decider.initialState };
  const queues: Record<'order' | 'budget', QueuedCommand[]> = { order: [], budget: [] };
  const deadLetters: QueuedCommand[] = [];
  const waiting: Reaction[] = [];
  const told: Reaction[] = [];
  let state: unknown = manager.initialState;
  let step = 0;
  let hasEnded = true;
  let timers: Readonly<Record<string, string>> = {};
  const calls = new Map<string, ProcessCall>();

  function submit(of: 'order' | 'budget', command: DomainMessage, actor: DecisionContext['actor'], sent?: ProcessCommand): void {
    queues[of].push({ aggregateId: of === 'order' ? orderId : budgetId, command, actor, ...(sent && { sent }) });
  }

  function execute(of: 'order' | 'budget', { command, actor, aggregateId, sent }: QueuedCommand): void {
    const { decider, events } = (of === 'order' ? orderSlice : budgetSlice) as Slice;
    const commandId = sent?.commandId ?? '00000000-0000-4000-8000-0000000000c1';
    const result = decider.decide(command, states[of], { now: '2026-01-01T00:00:00.000Z', actor, tenantId, commandId, aggregateId });
    for (const event of result.ok ? result.value : []) {
      states[of] = decider.evolve(states[of], event) as never;
      const { schemaVersion } = events[event.type]!;
      const queued = { ...event, schemaVersion, aggregateType: of, aggregateId, metadata: {} };
      if (Object.hasOwn(manager.events, event.type)) waiting.push({ kind: 'event', event: queued });
    }
    if (sent === undefined) return;
    const outcome = { kind: 'outcome', commandId, type: command.type, aggregateId } as const;
    waiting.push(result.ok ? { ...outcome, status: 'succeeded', outcome: {} } : { ...outcome, status: 'rejected', outcome: result.rejection });
  }

  function advance(reactions: readonly Reaction[], dueTimers: readonly string[]): void {
    const loaded: LoadedProcess = {
      state,
      stateVersion: manager.stateVersion,
      step,
      status: hasEnded ? 'done' : 'open',
      timers,
      timerCauses: {},
      dueTimers,
      calls: [...calls.values()],
      traceparent: null,
      now: '2026-01-01T00:00:00.000Z',
      reactions: reactions.map((message, sequence) => ({ sequence, message })),
    };
    const next = nextAdvance(manager, { tenantId, process: manager.name, key: orderId }, loaded);
    state = next.state;
    step += 1;
    hasEnded = next.status === 'done';
    timers = next.timers;
    for (const callId of next.endedCalls) calls.delete(callId);
    for (const call of next.calls) calls.set(call.callId, call);
    for (const sent of next.commands) {
      submit(sent.aggregateType as 'order' | 'budget', { type: sent.type, payload: sent.payload }, system, sent);
    }
  }

  return {
    submit,
    /** What can happen by itself now; each is one step. */
    possible(): (() => void)[] {
      const fromQueues = (['order', 'budget'] as const).flatMap((of) => (queues[of].length > 0 ? [() => execute(of, queues[of].shift()!)] : []));
      const retries = deadLetters.map((letter, index) => () => {
        deadLetters.splice(index, 1);
        execute(letter.aggregateId === orderId ? 'order' : 'budget', letter);
      });
      const reactions = waiting.length === 0 ? [] : [() => react(1), () => react(waiting.length)];
      const answers = [...calls.values()].flatMap(({ callId, name }) =>
        [true, false].map((ok) => () => {
          calls.delete(callId);
          const error = { code: 'REFUSED', message: 'sold out' };
          waiting.push({ kind: 'answer', callId, name, answer: ok ? { ok, value: {} } : { ok, error } });
        }),
      );
      const due = Object.keys(timers).map((name) => () => advance([], [name]));
      return [...fromQueues, ...retries, ...reactions, ...answers, ...due];
    },
    /** The next of the process manager's commands becomes a dead letter; an operator retries it some time. */
    deadLetter(): void {
      const queue = [queues.order, queues.budget].find(([next]) => next?.sent !== undefined);
      if (queue !== undefined) deadLetters.push(queue.shift()!);
    },
    /** The process hears once more what it has heard before. */
    repeat(index: number): void {
      const reaction = told.at(index % Math.max(told.length, 1));
      if (reaction !== undefined) waiting.push(reaction);
    },
    cancelProcess: () => waiting.push({ kind: 'cancel' }),
    order: (): OrderState => states.order,
    budget: (): BudgetState => states.budget,
    hasEnded: () => hasEnded && calls.size === 0 && Object.keys(timers).length === 0,
  };

  function react(count: number): void {
    const reactions = waiting.splice(0, count);
    told.push(...reactions);
    advance(reactions, []);
  }
}

export type FulfilmentModel = ReturnType<typeof createFulfilmentModel>;
