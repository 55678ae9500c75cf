import type { Context } from 'hono';
import { z } from 'zod';
import { AuthError } from './auth-error.ts';

/** PostgreSQL's text holds no U+0000. */
export const text = (maxLength: number) => z.string().min(1).max(maxLength).regex(/^[^\0]*$/);

/** PostgreSQL's jsonb holds neither U+0000 nor half of a surrogate pair. */
export const metadata = z
  .record(z.string(), z.unknown())
  .refine((value) => !/\\u0000|\\ud[89a-f]/.test(JSON.stringify(value)), 'holds characters that cannot be stored');

/** @throws AuthError if the body is no JSON, or not of this shape. */
export async function readBody<Body>(context: Context, schema: z.ZodType<Body>): Promise<Body> {
  const json: unknown = await context.req.json().catch(() => {
    throw new AuthError(400, 'bad_json', 'Could not parse request body as JSON');
  });
  const body = schema.safeParse(json);
  if (!body.success) throw new AuthError(400, 'validation_failed', z.prettifyError(body.error));
  return body.data;
}
