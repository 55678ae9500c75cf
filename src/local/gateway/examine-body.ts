import type { MiddlewareHandler } from 'hono';
import { isText, percentDecode } from './text.ts';

/** PostgREST compares the names of a call's arguments with those of every function. 1,000 take four seconds. */
const maxNames = 250;

/** Refuses a body that PostgREST or Auth could not read, or not in a reasonable time. Reads it whole: stands behind the limit of its size. */
export const refuseUnreadableBody: MiddlewareHandler = async (context, next) => {
  const { raw } = context.req;
  if (raw.body === null) return next();
  const bytes = Buffer.from(await raw.arrayBuffer());
  const message = examineBody(bytes, context.req.header('content-type') ?? 'application/json');
  if (message !== null) return context.json({ message }, 400);
  context.req.raw = new Request(raw, { method: raw.method, body: bytes });
  return next();
};

/** Why this body goes no further, or null. */
export function examineBody(bytes: Buffer, contentType: string): string | null {
  const isForm = contentType.toLowerCase().startsWith('application/x-www-form-urlencoded');
  if (!isText(isForm ? percentDecode(bytes.toString('latin1')) : bytes)) return 'The body holds bytes that are no UTF-8, or U+0000';
  return countNames(bytes.toString(), contentType.toLowerCase(), isForm) > maxNames ? `The body has more than ${maxNames} names` : null;
}

function countNames(text: string, contentType: string, isForm: boolean): number {
  if (isForm) return text.split('&').length;
  if (contentType.startsWith('text/csv')) return (text.split('\n', 1)[0] ?? '').split(',').length;
  return Math.max(...rowsOf(text).map((row) => (typeof row === 'object' && row !== null ? Object.keys(row).length : 0)), 0);
}

/** What is no JSON is refused by who reads it. */
function rowsOf(text: string): unknown[] {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value.slice(0, 1) : [value];
  } catch {
    return [];
  }
}
