import type { SupabaseClient } from '@supabase/supabase-js';
import type { DomainMessage } from '../domain/kernel/decider.ts';
import type { Slice } from '../domain/kernel/slice.ts';
import { createApi } from './api.ts';
import { FollowError } from './errors.ts';
import { createFollower } from './follower.ts';
import { createTenantChannels } from './tenant-channels.ts';
import { onWakeUp } from './wake-up.ts';

/** A lost message at the end of the stream has no later one to show it: this finds it. */
const catchUpEveryMs = 30_000;

export interface Followed<State> {
  readonly state: State;
  /** The aggregate's; 0 where it has no events. */
  readonly version: number;
  /** The tenant's: the state is the truth as of this position. */
  readonly position: number;
}

export interface FollowOptions<State, Command extends DomainMessage, Event extends DomainMessage, Code extends string> {
  readonly slice: Slice<State, Command, Event, Code>;
  readonly aggregateId: string;
  /** Called with the first state, and again whenever an event of the aggregate has been applied. */
  onChange(followed: Followed<State>): void;
  /** A failed call is repeated by itself; a refused join is not. (Default: nothing.) */
  onError?(error: FollowError): void;
}

export type Follow = <State, Command extends DomainMessage, Event extends DomainMessage, Code extends string>(
  options: FollowOptions<State, Command, Event, Code>,
) => Promise<Following>;

export interface Following {
  stop(): void;
}

/**
 * Follows aggregates of the session's tenant live. What `onChange` sees is always a prefix of the truth, folded with the same
 * `evolve` as on the server. Throws `FollowError` where nobody is signed in or the token has no tenant.
 */
export function createFollow(supabase: SupabaseClient): Follow {
  const api = createApi(supabase);
  const channels = createTenantChannels(supabase);

  return async (options) => {
    const tenantId = await readTenantId(supabase);
    const follower = createFollower(api, options);
    const leave = await channels.join(tenantId, {
      onSubscribed: follower.hydrate,
      onAppended: ({ events = [], toPosition }) => follower.take(events, toPosition),
      onRefused: (error) => {
        stop();
        options.onError?.(error);
      },
    });
    const timer = setInterval(follower.catchUp, catchUpEveryMs);
    const ignoreWakeUps = onWakeUp(follower.hydrate);
    return { stop };

    function stop(): void {
      clearInterval(timer);
      ignoreWakeUps();
      follower.stop();
      leave();
    }
  };
}

async function readTenantId(supabase: SupabaseClient): Promise<string> {
  const { data, error } = await supabase.auth.getClaims();
  if (error !== null || data === null) throw new FollowError('Nobody is signed in.', { cause: error });
  const tenantId: unknown = data.claims['tenant_id'];
  if (typeof tenantId === 'string') return tenantId;
  throw new FollowError('The access token has no claim tenant_id: choose a tenant with api.switch_tenant and refresh the session.');
}
