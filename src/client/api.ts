import type { SupabaseClient } from '@supabase/supabase-js';
import type { CommandResult } from './commands.ts';
import { FollowError, notAMember, refusedEntry, signedOut, tenantSwitched } from './errors.ts';
import type { RecordedEvent } from './feed.ts';
import { readSession } from './session.ts';
import { withGoodToken } from './token.ts';

/** The SQL functions of schema `api` that reading needs, for one tenant. Each throws `FollowError`. */
export interface Api {
  /** The snapshot and the first events after it; or the first events after a version. */
  hydrate(aggregateType: string, aggregateId: string, from: { stateVersion: number } | { afterVersion: number }): Promise<Hydration>;
  readFeed(afterPosition: number, maxEvents?: number): Promise<FeedPage>;
  /** The first events after a version, of those until then. */
  streamAsOf(aggregateType: string, aggregateId: string, until: { version?: number; at?: string }, afterVersion: number): Promise<Stream>;
  /** Null if it is not there, or not this user's to see. */
  getCommand(commandId: string): Promise<CommandResult | null>;
  /** Throws `NOT_A_MEMBER` if the server does not name the tenant among the user's. */
  requireMembership(): Promise<void>;
}

export interface Stream {
  /** The aggregate's; 0 if it has no events. More events follow if the last one's is another. */
  readonly version: number;
  readonly events: readonly RecordedEvent[];
}

/** `events` are those after the snapshot. */
export interface Hydration extends Stream {
  /** The tenant's, at the moment of the answer. */
  readonly position: number;
  readonly snapshot: { readonly version: number; readonly state: unknown } | null;
}

export interface FeedPage {
  readonly events: readonly RecordedEvent[];
  readonly lastPosition: number;
  readonly headPosition: number;
}

const pageSize = 500;

export function createApi(supabase: SupabaseClient, tenantId: string): Api {
  return {
    async hydrate(aggregateType, aggregateId, from) {
      const begin = 'stateVersion' in from ? { state_version: from.stateVersion } : { after_version: from.afterVersion };
      const parameters = { aggregate_type: aggregateType, aggregate_id: aggregateId, ...begin, max_events: pageSize };
      return seen(await call<Hydration>('hydrate', parameters), ({ position }) => position);
    },
    async readFeed(afterPosition, maxEvents = pageSize) {
      const page = await call<FeedPage>('read_feed', { after_position: afterPosition, max_events: maxEvents });
      return seen(page, ({ headPosition }) => headPosition);
    },
    async streamAsOf(aggregateType, aggregateId, { version, at }, afterVersion) {
      const parameters = { aggregate_type: aggregateType, aggregate_id: aggregateId, version, at, after_version: afterVersion, max_events: pageSize };
      return seen(await call<Stream>('stream_as_of', parameters), ({ version: found }) => found);
    },
    getCommand: (commandId) => call<CommandResult | null>('get_command', { command_id: commandId }),
    requireMembership,
  };

  /** A stranger sees an empty tenant, as row-level security has it: if nothing is there, ask whether we may see it. */
  async function seen<Answer>(answer: Answer, extentOf: (answer: Answer) => number): Promise<Answer> {
    if (extentOf(answer) === 0) await requireMembership();
    return answer;
  }

  async function requireMembership(): Promise<void> {
    const tenants = await call<readonly { readonly tenantId: string; readonly refusedBecause?: string }[]>('my_tenants', {});
    const tenant = tenants.find((other) => other.tenantId === tenantId);
    if (tenant === undefined) throw notAMember(tenantId);
    const refusal = refusedEntry(tenant.refusedBecause);
    if (refusal !== undefined) throw refusal;
  }

  async function call<Answer>(name: string, parameters: Readonly<Record<string, unknown>>): Promise<Answer> {
    const answer = await withGoodToken(
      supabase,
      () => supabase.schema('api').rpc(name, parameters),
      ({ status }) => status === 401,
      () => {
        throw signedOut();
      },
    );
    const { error } = answer;
    const data: unknown = answer.data;
    // Looked at after the call: an answer that was given to another tenant's token is not taken for this tenant's.
    const session = await readSession(supabase);
    if (session.tenantId !== tenantId) throw tenantSwitched();
    if (error !== null) throw new FollowError('UNAVAILABLE', `api.${name} failed: ${error.message}`, { cause: error });
    return data as Answer;
  }
}

/** For calls outside of a following: of the session's tenant. */
export async function openApi(supabase: SupabaseClient): Promise<Api> {
  const { tenantId } = await readSession(supabase);
  return createApi(supabase, tenantId);
}
