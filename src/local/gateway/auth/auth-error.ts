import type { ContentfulStatusCode } from 'hono/utils/http-status';

/** A refusal, in the shape that auth-js reads: `{ code, error_code, msg }`. The codes are those of Supabase Auth. */
export class AuthError extends Error {
  readonly status: ContentfulStatusCode;
  readonly code: string;

  constructor(status: ContentfulStatusCode, code: string, message: string) {
    super(message);
    this.name = 'AuthError';
    this.status = status;
    this.code = code;
  }

  toJSON() {
    return { code: this.status, error_code: this.code, msg: this.message };
  }
}
