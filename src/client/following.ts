import type { DecisionContext } from '../domain/kernel/decider.ts';
import type { Sender } from '../domain/kernel/message.ts';
import type { Slice } from '../domain/kernel/slice.ts';
import { backOffMs, pause } from './back-off.ts';
import type { CommandResult, CommandToSend, CommandType, SendOptions } from './commands.ts';
import type { Connection } from './connection.ts';
import { evolve } from './fold.ts';
import { foldPages } from './fold-pages.ts';
import { iterate } from './iterate.ts';
import { createLiveFeed, type LiveFeedDeps } from './live-feed.ts';
import type { GetOutcome } from './outcome.ts';
import { applyPending, type Pending, withoutSettled } from './pending.ts';
import type { Send } from './send.ts';
import { createStore } from './store.ts';
import { uuidV7 } from './uuid-v7.ts';

const firstLookMs = 1_000;
const longestPauseMs = 30_000;

/** One aggregate: what the log has of it, and what was sent and is not in the log yet. `follow.ts` gives it its types. */
export function createFollowing(
  { supabase, channels, send, getOutcome }: LiveFeedDeps & { readonly send: Send; readonly getOutcome: GetOutcome },
  slice: Slice,
  aggregateId: string,
) {
  const { aggregateType, stateVersion, decider } = slice;
  let confirmedState = decider.initialState;
  let version = 0;
  let pending: readonly Pending[] = [];
  const arrived = new Set<string | undefined>();
  let changed = false;

  const store = createStore(() => ({
    state: applyPending(decider, confirmedState, pending),
    confirmedState,
    pending,
    version,
    position: feed.position(),
    connection: feed.connection(),
  }));

  const feed = createLiveFeed({ supabase, channels }, {
    async load(api) {
      const page = await api.hydrate(aggregateType, aggregateId, { stateVersion });
      const start = page.snapshot ?? { state: decider.initialState, version: 0 };
      // Folded first: if that fails, nothing has changed.
      const { state, last, commandIds } = await foldPages(slice, { ...start, page }, (afterVersion) =>
        api.hydrate(aggregateType, aggregateId, { afterVersion }),
      );
      return {
        position: last.position,
        adopt() {
          changed = true;
          confirmedState = state;
          version = last.version;
          for (const commandId of commandIds) arrived.add(commandId);
        },
      };
    },
    apply(event) {
      if (event.aggregateType !== aggregateType || event.aggregateId !== aggregateId) return;
      confirmedState = evolve(slice, confirmedState, event);
      version = event.version;
      changed = true;
      arrived.add(event.metadata.commandId);
    },
    forget() {
      confirmedState = decider.initialState;
      version = 0;
      pending = [];
    },
    onChange() {
      setPending(withoutSettled(pending, feed.position() ?? 0, arrived));
      arrived.clear();
      changed ||= !isSame(feed.connection(), store.getSnapshot().connection);
      refresh();
    },
  });

  return {
    getSnapshot: store.getSnapshot,
    subscribe: store.subscribe,
    waitFor: feed.waitFor,
    close: feed.close,
    send: sendShown,
    [Symbol.asyncIterator]: () => iterate(store),
  };

  function setPending(next: readonly Pending[]): void {
    changed ||= next !== pending;
    pending = next;
  }

  async function sendShown(type: CommandType, command: Omit<CommandToSend<CommandType>, 'aggregateId'>, options?: SendOptions) {
    const commandId = command.commandId ?? uuidV7();
    const context = command.executeAt === undefined ? decisionContext(commandId) : null;
    if (context !== null) change([...pending, { command: { type, payload: command.payload }, context, settledAt: null }]);
    try {
      const result = await send(type, { ...command, aggregateId, commandId }, options);
      if (context !== null) void settle(result);
      return result;
    } catch (error) {
      settleAt(commandId, 0);
      throw error;
    }
  }

  /** Null until the session is known: then there is no state either that a command could show in. */
  function decisionContext(commandId: string): DecisionContext | null {
    const session = feed.session();
    if (session === null) return null;
    const actor = { userId: session.userId, role: session.role as Sender };
    return { now: new Date().toISOString(), actor, tenantId: session.tenantId, commandId, aggregateId };
  }

  /** If the answer came before the outcome, asks for it until it is known. */
  async function settle(result: CommandResult): Promise<void> {
    const { commandId } = result;
    let known = result;
    for (let attempt = 1; known.status === 'pending' || known.status === 'dispatched'; attempt += 1) {
      await pause(backOffMs(attempt, firstLookMs, longestPauseMs), feed.closed);
      if (feed.closed.aborted || pending.every(({ context }) => context.commandId !== commandId)) return;
      known = (await getOutcome(commandId).catch(() => null)) ?? known;
    }
    settleAt(commandId, known.status === 'succeeded' ? known.outcome.lastPosition : 0);
  }

  /** Shown until the log has been applied up to this position; 0: no more. */
  function settleAt(commandId: string, position: number): void {
    change(pending.map((each) => (each.context.commandId === commandId ? { ...each, settledAt: position } : each)));
    feed.reach(position);
  }

  function change(next: readonly Pending[]): void {
    setPending(withoutSettled(next, feed.position() ?? 0, arrived));
    refresh();
  }

  function refresh(): void {
    if (changed) store.invalidate();
    changed = false;
  }
}

function isSame(one: Connection, other: Connection): boolean {
  return one.status === other.status && one.error === other.error;
}
