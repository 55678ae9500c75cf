import type { RealtimeChannel, SupabaseClient } from '@supabase/supabase-js';
import { createApi } from './api.ts';
import { backOffMs } from './back-off.ts';
import { asFollowError, FollowError, signedOut } from './errors.ts';
import type { RecordedEvent } from './feed.ts';
import { type Remedy, remedyOf } from './join-errors.ts';
import { onSignedOut, type Session } from './session.ts';
import { renewToken } from './token.ts';

/** One message per append, or about many; without events if they would be too large for a broadcast. */
export interface Appended {
  readonly fromPosition: number;
  readonly toPosition: number;
  readonly events?: readonly RecordedEvent[];
}

export interface ChannelListener {
  /** The channel streams from now on; what came before may have been missed. Called after every join. */
  onSubscribed(): void;
  /** It was not so from the join on: what came since then may have been missed as well. */
  onReady(): void;
  onAppended(message: Appended): void;
  /** It is said that the session's user is no member any more. */
  onRemoved(): void;
  /** The channel is away. If it is `UNAVAILABLE` it is joined again by itself; after another code nothing more comes. */
  onInterrupted(error: FollowError): void;
}

export interface TenantChannels {
  /** The result leaves again. */
  join(session: Session, listener: ChannelListener): Promise<() => void>;
}

interface SharedChannel {
  readonly session: Session;
  readonly listeners: Set<ChannelListener>;
  subscribed: boolean;
  /** Joins in a row that came to nothing. */
  failures: number;
  channel: RealtimeChannel | undefined;
  /** supabase-js gives the same channel again until it has left. */
  leaving: Promise<unknown>;
}

const firstRejoinMs = 1_000;
const longestRejoinMs = 30_000;
const seldomRejoinMs = 300_000;

/** A client has one private channel a tenant, however many aggregates it follows: supabase-js knows a topic only once. */
export function createTenantChannels(supabase: SupabaseClient): TenantChannels {
  const shared = new Map<string, SharedChannel>();
  let ignoreSignOut = () => {};

  return {
    async join(session, listener) {
      // Without it the first join would carry no token.
      await supabase.realtime.setAuth();
      const existing = shared.get(session.tenantId);
      const entry = existing ?? newEntry(session);
      entry.listeners.add(listener);
      if (existing === undefined) {
        if (shared.size === 0) ignoreSignOut = onSignedOut(supabase, closeAll);
        shared.set(session.tenantId, entry);
        open(entry);
      } else if (entry.subscribed) {
        listener.onSubscribed();
      }
      return () => leave(entry, listener);
    },
  };

  function open(entry: SharedChannel): void {
    const channel = supabase.channel(`tenant:${entry.session.tenantId}:events`, {
      config: { private: true, broadcast: { replication_ready: true } },
    });
    entry.channel = channel;
    channel
      .on('broadcast', { event: 'appended' }, ({ payload }) => {
        for (const listener of entry.listeners) listener.onAppended(payload as Appended);
      })
      .on('broadcast', { event: 'removed' }, ({ payload }) => {
        if ((payload as { userId?: unknown }).userId !== entry.session.userId) return;
        for (const listener of entry.listeners) listener.onRemoved();
      })
      // A join may be granted before the server follows the database, and what commits meanwhile is never streamed.
      .on('system', {}, ({ extension, status, message }) => {
        if (entry.channel !== channel || extension !== 'system') return;
        if (status !== 'ok') return away(entry, 'wait', new Error(String(message)));
        for (const listener of entry.listeners) listener.onReady();
      })
      .subscribe((status, error) => {
        if (entry.channel !== channel) return;
        entry.subscribed = status === 'SUBSCRIBED';
        if (!entry.subscribed) return away(entry, status === 'CLOSED' ? 'wait' : remedyOf(error), error);
        entry.failures = 0;
        for (const listener of entry.listeners) listener.onSubscribed();
      });
  }

  function away(entry: SharedChannel, remedy: Remedy | null, cause: Error | undefined): void {
    entry.subscribed = false;
    // Else supabase-js would join again by itself, with the token that it has.
    if (remedy !== null) drop(entry);
    if (remedy === 'ask') return void ask(entry, cause);
    interrupt(entry, cause);
    if (remedy !== null) reopenLater(entry, remedy);
  }

  function drop(entry: SharedChannel): void {
    const { channel } = entry;
    entry.channel = undefined;
    if (channel !== undefined) entry.leaving = supabase.removeChannel(channel).catch(() => {});
  }

  function reopenLater(entry: SharedChannel, remedy: Remedy): void {
    entry.failures += 1;
    const ms = remedy === 'seldom' ? seldomRejoinMs : backOffMs(entry.failures, firstRejoinMs, longestRejoinMs);
    setTimeout(() => void reopen(entry, remedy), ms);
  }

  async function reopen(entry: SharedChannel, remedy: Remedy): Promise<void> {
    if (entry.listeners.size > 0 && remedy === 'renew' && (await renewToken(supabase)) === 'ended') return end(entry, signedOut());
    // The token may be what closed the channel. If it cannot be had, the join fails and tells.
    await supabase.realtime.setAuth().catch(() => {});
    await entry.leaving;
    if (entry.listeners.size > 0) open(entry);
  }

  /** The session and the server know whether we may listen. If we may, it was a passing fault. */
  async function ask(entry: SharedChannel, cause: Error | undefined): Promise<void> {
    const reason = await createApi(supabase, entry.session.tenantId)
      .requireMembership()
      .then(() => cause, asFollowError);
    if (reason instanceof FollowError && reason.code !== 'UNAVAILABLE') return end(entry, reason);
    interrupt(entry, reason);
    reopenLater(entry, 'ask');
  }

  function interrupt(entry: SharedChannel, cause: Error | undefined): void {
    const text = `The channel is away: ${cause?.message ?? 'it was closed'}`;
    const error = cause instanceof FollowError ? cause : new FollowError('UNAVAILABLE', text, { cause });
    for (const listener of entry.listeners) listener.onInterrupted(error);
  }

  function closeAll(): void {
    for (const entry of [...shared.values()]) end(entry, signedOut());
  }

  function end(entry: SharedChannel, reason: FollowError): void {
    interrupt(entry, reason);
    for (const listener of entry.listeners) leave(entry, listener);
  }

  function leave(entry: SharedChannel, listener: ChannelListener): void {
    if (!entry.listeners.delete(listener) || entry.listeners.size > 0) return;
    shared.delete(entry.session.tenantId);
    if (shared.size === 0) ignoreSignOut();
    drop(entry);
  }
}

function newEntry(session: Session): SharedChannel {
  return { session, listeners: new Set(), subscribed: false, failures: 0, channel: undefined, leaving: Promise.resolve() };
}
