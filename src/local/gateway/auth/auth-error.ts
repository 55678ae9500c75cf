import type { ContentfulStatusCode } from 'hono/utils/http-status';

/** The version of the interface from which on errors have their newer shape. supabase-js asks for it. */
export const newerErrorsSince = '2024-01-01';

/** A refusal. The codes are those of Supabase Auth. */
export class AuthError extends Error {
  readonly status: ContentfulStatusCode;
  readonly code: string;
  readonly extra: Readonly<Record<string, unknown>>;

  constructor(status: ContentfulStatusCode, code: string, message: string, extra: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.name = 'AuthError';
    this.status = status;
    this.code = code;
    this.extra = extra;
  }

  /** In the shape that a client of this version reads, and the first one without a version. */
  present(version: string | undefined): Readonly<Record<string, unknown>> {
    return knowsNewerErrors(version)
      ? { code: this.code, message: this.message, ...this.extra }
      : { code: this.status, error_code: this.code, msg: this.message, ...this.extra };
  }
}

export function knowsNewerErrors(version: string | undefined): boolean {
  return version !== undefined && /^\d{4}-\d\d-\d\d$/.test(version) && version >= newerErrorsSince;
}
