interface FieldError {
  /** A JSON pointer into the command as it was sent. */
  readonly path: string;
  readonly message: string;
}

/** What the Edge Function answers for a command that it did not take (RFC 9457). */
export interface ProblemDetails {
  readonly code: string;
  /** Which case of a code it is, if it has several: of `IN403` for instance `second_factor_required`. */
  readonly reason?: string;
  readonly status: number;
  readonly detail: string;
  readonly errors: readonly FieldError[];
  readonly traceId: string;
}

/** A command that was refused before it was stored, or of which it is unknown whether it was (`code` is then `IN503`). */
export class CommandError extends Error {
  readonly commandId: string;
  /** `IN401`, `IN403`, `IN409`, `IN422`, `IN429`, `IN503` …: the codes do not change, the messages may. */
  readonly code: string;
  /** Of `IN403`: `not_a_member`, `second_factor_required` (verify one, then refresh the session), `client_not_allowed`; undefined for others. */
  readonly reason: string | undefined;
  readonly errors: readonly FieldError[];
  /** Finds the request in the logs. */
  readonly traceId: string | undefined;

  constructor(commandId: string, problem: Partial<ProblemDetails>, options?: ErrorOptions) {
    super(problem.detail ?? `Whether the command was taken is unknown: send it again with the same commandId ${commandId}.`, options);
    this.name = 'CommandError';
    this.commandId = commandId;
    this.code = problem.code ?? 'IN503';
    this.reason = problem.reason;
    this.errors = problem.errors ?? [];
    this.traceId = problem.traceId;
  }
}

/** Why something cannot be read or followed. Only `UNAVAILABLE` and `TIMED_OUT` pass by themselves. */
export type FollowErrorCode =
  /** There is no session, or it can no longer be refreshed. */
  | 'SIGNED_OUT'
  /** The token has no claim tenant_id: call `api.switch_tenant`, then refresh the session. */
  | 'NO_TENANT'
  /** The tenant asks for a second factor: verify one with `supabase.auth.mfa`, then refresh the session. */
  | 'SECOND_FACTOR_REQUIRED'
  /** The tenant does not let third-party applications in. */
  | 'CLIENT_NOT_ALLOWED'
  /** The user is not, or no longer, an active member of the tenant; or the tenant is gone. */
  | 'NOT_A_MEMBER'
  /** The session is now of another tenant: follow anew. */
  | 'TENANT_SWITCHED'
  /** An event of a newer server, by its type or schema version: this client's code is too old. */
  | 'UNKNOWN_EVENT'
  /** `evolve` failed on an event: its payload is not what this client's code expects. */
  | 'UNREADABLE_EVENT'
  /** The position to start after, or the last one that came, is not in the log any more: it belongs to another log. */
  | 'AHEAD_OF_LOG'
  /** A call has failed, or the channel is away. */
  | 'UNAVAILABLE'
  /** The position that was waited for has not come in time. */
  | 'TIMED_OUT';

export class FollowError extends Error {
  readonly code: FollowErrorCode;

  constructor(code: FollowErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'FollowError';
    this.code = code;
  }
}

/** What is not known better has to do with the way to the server. */
export function asFollowError(error: unknown): FollowError {
  return error instanceof FollowError ? error : new FollowError('UNAVAILABLE', 'Following failed.', { cause: error });
}

export function notAMember(tenantId: string, cause?: Error): FollowError {
  const message = `The session's user is not, or no longer, an active member of tenant ${tenantId}.`;
  return new FollowError('NOT_A_MEMBER', message, { cause });
}

const refusals: Readonly<Record<string, readonly [FollowErrorCode, string]>> = {
  second_factor_required: ['SECOND_FACTOR_REQUIRED', 'The tenant asks for a second factor: verify one, then refresh the session.'],
  client_not_allowed: ['CLIENT_NOT_ALLOWED', 'The tenant does not let third-party applications in: an owner may allow them.'],
};

/** For the reasons that the token's `tenant_refused` and `my_tenants` give; undefined for others. */
export function refusedEntry(reason: unknown): FollowError | undefined {
  const refusal = typeof reason === 'string' ? refusals[reason] : undefined;
  return refusal && new FollowError(...refusal);
}

export function tenantSwitched(): FollowError {
  return new FollowError('TENANT_SWITCHED', 'The session is now of another tenant.');
}

export function signedOut(cause?: Error | null): FollowError {
  return new FollowError('SIGNED_OUT', 'Nobody is signed in.', { cause });
}
