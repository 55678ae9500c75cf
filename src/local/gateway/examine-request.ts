import type { IncomingMessage } from 'node:http';
import type { HttpBindings } from '@hono/node-server';
import type { MiddlewareHandler } from 'hono';
import { httpLimits } from './http-limits.ts';
import { bytesOf, isText, percentDecode } from './text.ts';

export interface RequestRefusal {
  readonly status: 400 | 414;
  readonly message: string;
}

/** Refuses a request whose address or headers nobody behind us could read. */
export const refuseUnreadable: MiddlewareHandler<{ Bindings: HttpBindings }> = async (context, next) => {
  const refusal = examineRequest(context.env.incoming);
  return refusal === null ? next() : context.json({ message: refusal.message }, refusal.status);
};

/** Why this request goes no further, or null. */
export function examineRequest({ url: target = '', rawHeaders }: Pick<IncomingMessage, 'url' | 'rawHeaders'>): RequestRefusal | null {
  const { maxTargetBytes } = httpLimits;
  if (target.length > maxTargetBytes) {
    return { status: 414, message: `The address is longer than ${maxTargetBytes} bytes: send long lists in the body of a function call` };
  }
  if (!isText(percentDecode(target))) return { status: 400, message: 'The address holds bytes that are no UTF-8, or U+0000' };
  const bad = rawHeaders.findIndex((text) => !isText(bytesOf(text)));
  if (bad >= 0) return { status: 400, message: `The header ${rawHeaders[bad - (bad % 2)]} holds bytes that are no UTF-8` };
  return null;
}
