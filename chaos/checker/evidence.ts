/** What a run has left behind: what the clients and followers saw, and what the database holds once it is at rest. */
export interface Evidence {
  readonly tenants: readonly { readonly tenantId: string; readonly userIds: readonly string[] }[];
  readonly submissions: readonly Submission[];
  readonly followers: readonly Follower[];
  readonly commands: readonly CommandRow[];
  readonly events: readonly EventRow[];
  readonly orders: readonly OrderRow[];
  readonly budgets: readonly BudgetRow[];
  readonly shares: readonly ShareRow[];
  readonly processes: readonly ProcessRow[];
}

/** One command id as its client sees it: every answer that it got, in order. */
export interface Submission {
  readonly tenantId: string;
  readonly commandId: string;
  readonly client: string;
  readonly answers: readonly Answer[];
  /** To the same id with other content, sent after the first was accepted. */
  readonly answersToOthers: readonly Answer[];
}

export type Answer =
  | { readonly kind: 'accepted'; readonly status: string; readonly outcome: unknown }
  /** Not done, for good. */
  | { readonly kind: 'refused'; readonly code: string }
  /** Ask again with the same id. */
  | { readonly kind: 'unknown'; readonly reason: string };

/** A client that reads its tenant's feed. */
export interface Follower {
  readonly name: string;
  readonly tenantId: string;
  readonly applied: readonly EventRow[];
}

interface OfTenant {
  readonly tenantId: string;
}

export interface CommandRow extends OfTenant {
  readonly commandId: string;
  readonly type: string;
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly actorUserId: string | null;
  readonly status: string;
  readonly outcome: unknown;
  readonly error: unknown;
  readonly isDue: boolean;
}

export interface EventRow extends OfTenant {
  readonly position: number;
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly version: number;
  readonly type: string;
  readonly payload: unknown;
  readonly commandId: string | null;
  readonly actorUserId: string | null;
}

export interface OrderRow extends OfTenant {
  readonly orderId: string;
  readonly budgetId: string;
  readonly status: string;
  readonly total: number;
  readonly placedBy: string;
  readonly version: number;
}

export interface BudgetRow extends OfTenant {
  readonly budgetId: string;
  readonly limit: number;
  readonly reserved: number;
  readonly spent: number;
  readonly version: number;
}

export interface ShareRow extends OfTenant {
  readonly budgetId: string;
  readonly orderId: string;
  readonly reserved: number;
  readonly spent: number;
}

export interface ProcessRow extends OfTenant {
  readonly process: string;
  readonly key: string;
  readonly status: string;
  /** Reactions that nobody has taken in. */
  readonly waiting: number;
  readonly openCalls: number;
}

export const settledStatuses: readonly string[] = ['succeeded', 'rejected', 'failed'];
