export interface SubscribedEvent {
  readonly position: number;
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly version: number;
  readonly type: string;
  readonly schemaVersion: number;
  readonly payload: unknown;
  readonly metadata: { readonly commandId?: string; readonly correlationId?: string; readonly causationId?: string };
  /** ISO 8601, UTC. */
  readonly recordedAt: string;
}

/** What a subscription has not dealt with yet, of one tenant, under a lease. */
export interface FeedClaim {
  readonly tenantId: string;
  /** In commit order and without a hole; at least one. */
  readonly events: readonly [SubscribedEvent, ...SubscribedEvent[]];
  readonly fencingToken: string;
}

/** All tenants' events, as one subscription reads them. Every method may throw `StoreUnavailable`. */
export interface SubscriptionFeed {
  /** From when a claim is made nobody else gets its tenant for so long. */
  readonly leaseMs: number;
  /** Of the tenant whose turn it is longest; null if nothing has happened, or others are at it. */
  claim(): Promise<FeedClaim | null>;
  /**
   * Says that all events up to a position are dealt with, and gives the claim back. False if the claim has passed to somebody
   * else, who then deals with them once more.
   */
  acknowledge(claim: FeedClaim, position: number): Promise<boolean>;
  /** Leaves an event in the subscription's dead letters. False if the claim has passed to somebody else. */
  skip(claim: FeedClaim, position: number, error: { readonly name: string; readonly message: string }): Promise<boolean>;
}
