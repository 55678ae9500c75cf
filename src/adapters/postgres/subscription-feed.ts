import type { Pool, QueryResultRow } from 'pg';
import type { FeedClaim, SubscriptionFeed } from '../../ports/subscription-feed.ts';
import { translatingErrors } from './errors.ts';

export interface SubscriptionFeedDeps {
  /** Connected as `intent_worker`. */
  readonly pool: Pool;
  /** Its name, such as `spending-by-week`: anyone who takes the same shares its work. */
  readonly subscription: string;
  /** Longer than a handler takes for one event with all its tries. (Default: 60) */
  readonly leaseSeconds?: number;
  /** In one claim, 1 to 1,000. (Default: 100) */
  readonly maxEvents?: number;
}

interface ClaimRow {
  readonly tenant_id: string;
  readonly fencing_token: string;
  readonly events: FeedClaim['events'];
}

export function createSubscriptionFeed({ pool, subscription, leaseSeconds = 60, maxEvents = 100 }: SubscriptionFeedDeps): SubscriptionFeed {
  const query = <Row extends QueryResultRow>(statement: string, values: unknown[]) =>
    translatingErrors(async () => (await pool.query<Row>(statement, values)).rows[0]);

  return {
    leaseMs: leaseSeconds * 1_000,

    async claim() {
      const row = await query<ClaimRow>('select * from intent.claim_feed($1, $2, make_interval(secs => $3))', [subscription, maxEvents, leaseSeconds]);
      return row === undefined ? null : { tenantId: row.tenant_id, fencingToken: row.fencing_token, events: row.events };
    },

    async acknowledge({ tenantId, fencingToken }, position) {
      const values = [subscription, tenantId, fencingToken, position];
      return (await query<{ held: boolean }>('select intent.acknowledge_feed($1, $2, $3, $4) as held', values))?.held ?? false;
    },

    async skip({ tenantId, fencingToken }, position, error) {
      const values = [subscription, tenantId, fencingToken, position, JSON.stringify(error)];
      return (await query<{ held: boolean }>('select intent.skip_event($1, $2, $3, $4, $5) as held', values))?.held ?? false;
    },
  };
}
