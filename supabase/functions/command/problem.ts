/** Errors as `application/problem+json` (RFC 9457), with the codes that SQL uses too. */

const kinds = {
  IN401: { status: 401, title: 'Not signed in' },
  IN403: { status: 403, title: 'Not allowed' },
  IN404: { status: 404, title: 'Not found' },
  IN405: { status: 405, title: 'Method not allowed' },
  IN409: { status: 409, title: 'Command id used for another command' },
  IN413: { status: 413, title: 'Body too large' },
  IN415: { status: 415, title: 'Unsupported content type' },
  IN422: { status: 400, title: 'Malformed command' },
  IN429: { status: 429, title: 'Too many commands' },
  IN500: { status: 500, title: 'Internal error' },
  IN503: { status: 503, title: 'Unavailable' },
} as const;

export type ProblemCode = keyof typeof kinds;

export interface FieldError {
  /** A JSON pointer into the body; empty for the body itself. */
  readonly path: string;
  readonly message: string;
}

interface ProblemOptions {
  /** Which of the cases of a code it is, for programs. */
  readonly reason?: string | undefined;
  readonly errors?: readonly FieldError[];
  readonly headers?: Readonly<Record<string, string>>;
  /** What happened, for the log only: the caller must not see it. */
  readonly cause?: unknown;
}

/** Thrown anywhere in the function, answered by the handler. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly errors: readonly FieldError[];
  readonly headers: Readonly<Record<string, string>>;
  readonly reason: string | undefined;

  constructor(code: ProblemCode, detail: string, { errors = [], headers = {}, reason, cause }: ProblemOptions = {}) {
    super(detail, { cause });
    this.name = 'Problem';
    this.code = code;
    this.errors = errors;
    this.headers = headers;
    this.reason = reason;
  }

  get status(): number {
    return kinds[this.code].status;
  }

  toResponse(traceId: string): Response {
    const { status, title } = kinds[this.code];
    const body = {
      type: `urn:intent:problem:${this.code}`,
      title,
      status,
      code: this.code,
      // Absent if there is none: JSON has no undefined.
      reason: this.reason,
      detail: this.message,
      errors: this.errors,
      traceId,
    };
    return Response.json(body, { status, headers: { ...this.headers, 'Content-Type': 'application/problem+json' } });
  }
}

/** One body for every way in which a token can be wrong: an attacker learns nothing from the differences. */
export function notSignedIn(cause: unknown): Problem {
  return new Problem('IN401', 'A valid access token is needed: sign in again.', {
    headers: { 'WWW-Authenticate': 'Bearer' },
    cause,
  });
}

/** What to do about a refusal for a reason; the rest keeps the words that it was refused with. */
const remedies: Readonly<Record<string, string>> = {
  second_factor_required: 'This tenant asks for a second factor: verify one, then refresh the session.',
  client_not_allowed: 'This tenant does not let third-party applications in: sign in by its own, or ask an owner to allow OAuth clients.',
};

export function refused(reason: string | undefined, { detail, cause }: { readonly detail: string; readonly cause?: unknown }): Problem {
  return new Problem('IN403', (reason === undefined ? undefined : remedies[reason]) ?? detail, { reason, cause });
}

export function malformed(errors: readonly FieldError[]): Problem {
  return new Problem('IN422', 'The command was not taken: correct what `errors` lists.', { errors });
}

/** For a call whose effect is unknown. The command id makes asking again harmless. */
export function unavailable(cause: unknown): Problem {
  return new Problem('IN503', 'Whether the command was taken is unknown: send it again with the same commandId.', {
    headers: { 'Retry-After': '1' },
    cause,
  });
}

/** For a call that the database's schema does not fit: nothing is stored, and nothing is wrong with the command. */
export function beingDeployed(cause: unknown): Problem {
  return new Problem('IN503', 'The database and this function are of different releases, as during a deploy. The command was not taken: send it again.', {
    headers: { 'Retry-After': '5' },
    cause,
  });
}

export function toPointer(path: readonly PropertyKey[]): string {
  return path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
