interface FieldError {
  /** A JSON pointer into the command as it was sent. */
  readonly path: string;
  readonly message: string;
}

/** What the Edge Function answers for a command that it did not take (RFC 9457). */
export interface ProblemDetails {
  readonly code: string;
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
  readonly errors: readonly FieldError[];
  /** Finds the request in the logs. */
  readonly traceId: string | undefined;

  constructor(commandId: string, problem: Partial<ProblemDetails>, options?: ErrorOptions) {
    super(problem.detail ?? `Whether the command was taken is unknown: send it again with the same commandId ${commandId}.`, options);
    this.name = 'CommandError';
    this.commandId = commandId;
    this.code = problem.code ?? 'IN503';
    this.errors = problem.errors ?? [];
    this.traceId = problem.traceId;
  }
}

/** An aggregate that cannot be followed: the message says which claim or membership is missing, or which call failed. */
export class FollowError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'FollowError';
  }
}
