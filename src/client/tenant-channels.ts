import type { RealtimeChannel, SupabaseClient } from '@supabase/supabase-js';
import { FollowError } from './errors.ts';
import type { RecordedEvent } from './feed.ts';

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
  /** The join was refused for good: the listener hears nothing more. */
  onRefused(error: FollowError): void;
}

export interface TenantChannels {
  /** The result leaves again. */
  join(tenantId: string, listener: ChannelListener): Promise<() => void>;
}

interface SharedChannel {
  readonly listeners: Set<ChannelListener>;
  subscribed: boolean;
  channel: RealtimeChannel | undefined;
}

const rejoinPauseMs = 1_000;

/** A client has one private channel a tenant, however many aggregates it follows: supabase-js knows a topic only once. */
export function createTenantChannels(supabase: SupabaseClient): TenantChannels {
  const shared = new Map<string, SharedChannel>();

  return {
    async join(tenantId, listener) {
      // Without it the first join would carry no token.
      await supabase.realtime.setAuth();
      const existing = shared.get(tenantId);
      const entry = existing ?? { listeners: new Set(), subscribed: false, channel: undefined };
      entry.listeners.add(listener);
      if (existing === undefined) {
        shared.set(tenantId, entry);
        open(tenantId, entry);
      } else if (entry.subscribed) {
        listener.onSubscribed();
      }
      return () => leave(tenantId, entry, listener);
    },
  };

  function open(tenantId: string, entry: SharedChannel): void {
    const channel = supabase.channel(`tenant:${tenantId}:events`, { config: { private: true } });
    entry.channel = channel;
    channel
      .on('broadcast', { event: 'appended' }, ({ payload }) => {
        for (const listener of entry.listeners) listener.onAppended(payload as Appended);
      })
      .subscribe((status, error) => {
        if (entry.channel !== channel) return;
        entry.subscribed = status === 'SUBSCRIBED';
        if (status === 'SUBSCRIBED') for (const listener of entry.listeners) listener.onSubscribed();
        if (status === 'CHANNEL_ERROR' && isRefusal(error)) refuse(tenantId, entry, error);
        // A closed channel stays closed. After CHANNEL_ERROR and TIMED_OUT supabase-js joins again by itself.
        if (status === 'CLOSED') reopenLater(tenantId, entry);
      });
  }

  function reopenLater(tenantId: string, entry: SharedChannel): void {
    setTimeout(() => void reopen(tenantId, entry), rejoinPauseMs);
  }

  async function reopen(tenantId: string, entry: SharedChannel): Promise<void> {
    // The token may be what closed the channel. Where it cannot be had, the join fails and tells.
    await supabase.realtime.setAuth().catch(() => {});
    if (entry.listeners.size > 0) open(tenantId, entry);
  }

  function refuse(tenantId: string, entry: SharedChannel, cause: Error): void {
    const error = new FollowError(`The session's user is not, or no longer, an active member of tenant ${tenantId}.`, { cause });
    for (const listener of entry.listeners) {
      leave(tenantId, entry, listener);
      listener.onRefused(error);
    }
  }

  function leave(tenantId: string, entry: SharedChannel, listener: ChannelListener): void {
    if (!entry.listeners.delete(listener) || entry.listeners.size > 0) return;
    shared.delete(tenantId);
    const { channel } = entry;
    entry.channel = undefined;
    if (channel !== undefined) void supabase.removeChannel(channel);
  }
}

/** Realtime's words for a join that the policy on `realtime.messages` does not allow. */
function isRefusal(error: Error | undefined): error is Error {
  return error?.message.startsWith('Unauthorized') ?? false;
}
