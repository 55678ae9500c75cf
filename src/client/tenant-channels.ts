import type { RealtimeChannel, SupabaseClient } from '@supabase/supabase-js';
import { backOffMs } from './back-off.ts';
import { asFollowError, FollowError, notAMember, tenantSwitched } from './errors.ts';
import type { RecordedEvent } from './feed.ts';
import { readSession, type Session } from './session.ts';

/** One message per append; without events where they would be too large for a broadcast. */
export interface Appended {
  readonly fromPosition: number;
  readonly toPosition: number;
  readonly events?: readonly RecordedEvent[];
}

export interface ChannelListener {
  /** The channel streams from now on; what came before may have been missed. Called after every join. */
  onSubscribed(): void;
  onAppended(message: Appended): void;
  /** It is said that the session's user is no member any more. */
  onRemoved(): void;
  /** The channel is away. Where it is `UNAVAILABLE` it is joined again by itself; after another code nothing more comes. */
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
}

const firstRejoinMs = 1_000;
const longestRejoinMs = 30_000;

/** A client has one private channel a tenant, however many aggregates it follows: supabase-js knows a topic only once. */
export function createTenantChannels(supabase: SupabaseClient): TenantChannels {
  const shared = new Map<string, SharedChannel>();

  return {
    async join(session, listener) {
      // Without it the first join would carry no token.
      await supabase.realtime.setAuth();
      const existing = shared.get(session.tenantId);
      const entry = existing ?? { session, listeners: new Set(), subscribed: false, failures: 0, channel: undefined };
      entry.listeners.add(listener);
      if (existing === undefined) {
        shared.set(session.tenantId, entry);
        open(entry);
      } else if (entry.subscribed) {
        listener.onSubscribed();
      }
      return () => leave(entry, listener);
    },
  };

  function open(entry: SharedChannel): void {
    const channel = supabase.channel(`tenant:${entry.session.tenantId}:events`, { config: { private: true } });
    entry.channel = channel;
    channel
      .on('broadcast', { event: 'appended' }, ({ payload }) => {
        for (const listener of entry.listeners) listener.onAppended(payload as Appended);
      })
      .on('broadcast', { event: 'removed' }, ({ payload }) => {
        if ((payload as { userId?: unknown }).userId !== entry.session.userId) return;
        for (const listener of entry.listeners) listener.onRemoved();
      })
      .subscribe((status, error) => {
        if (entry.channel !== channel) return;
        entry.subscribed = status === 'SUBSCRIBED';
        if (entry.subscribed) {
          entry.failures = 0;
          for (const listener of entry.listeners) listener.onSubscribed();
        } else if (isRefusal(error)) {
          void refuse(entry, error);
        } else {
          interrupt(entry, error);
          // A closed channel stays closed. After CHANNEL_ERROR and TIMED_OUT supabase-js joins again by itself, with the token
          // that it has: where that has ended, only a new channel helps.
          if (status === 'CLOSED' || isAboutToken(error)) reopenLater(entry);
        }
      });
  }

  function reopenLater(entry: SharedChannel): void {
    const { channel } = entry;
    entry.channel = undefined;
    if (channel !== undefined) void supabase.removeChannel(channel);
    entry.failures += 1;
    setTimeout(() => void reopen(entry), backOffMs(entry.failures, firstRejoinMs, longestRejoinMs));
  }

  async function reopen(entry: SharedChannel): Promise<void> {
    // The token may be what closed the channel. Where it cannot be had, the join fails and tells.
    await supabase.realtime.setAuth().catch(() => {});
    if (entry.listeners.size > 0) open(entry);
  }

  /** The session knows best why. Where it does not tell either, the membership is what is missing. */
  async function refuse(entry: SharedChannel, cause: Error | undefined): Promise<void> {
    const { tenantId } = entry.session;
    const reason = await readSession(supabase).then(
      (session) => (session.tenantId === tenantId ? notAMember(tenantId, cause) : tenantSwitched()),
      asFollowError,
    );
    interrupt(entry, reason);
    if (reason.code === 'UNAVAILABLE') reopenLater(entry);
    else for (const listener of entry.listeners) leave(entry, listener);
  }

  function interrupt(entry: SharedChannel, cause: Error | undefined): void {
    const away = `The channel is away: ${cause?.message ?? 'it was closed'}`;
    const error = cause instanceof FollowError ? cause : new FollowError('UNAVAILABLE', away, { cause });
    for (const listener of entry.listeners) listener.onInterrupted(error);
  }

  function leave(entry: SharedChannel, listener: ChannelListener): void {
    if (!entry.listeners.delete(listener) || entry.listeners.size > 0) return;
    shared.delete(entry.session.tenantId);
    const { channel } = entry;
    entry.channel = undefined;
    if (channel !== undefined) void supabase.removeChannel(channel);
  }
}

/** Realtime's words for a join that the policy on `realtime.messages` does not allow. */
function isRefusal(error: Error | undefined): boolean {
  return error?.message.startsWith('Unauthorized') ?? false;
}

/** Its words for a token that has ended, or that it cannot verify. */
function isAboutToken(error: Error | undefined): boolean {
  return error?.message.startsWith('InvalidJWTToken') ?? false;
}
