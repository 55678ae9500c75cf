import type { MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';

const preflightSeconds = 600;

const requestHeaders = [
  'authorization', 'apikey', 'content-type', 'content-profile', 'accept-profile', 'prefer', 'range', 'range-unit',
  'traceparent', 'tracestate', 'baggage', 'x-client-info', 'x-supabase-api-version', 'x-retry-count',
];

const responseHeaders = [
  'content-range', 'content-location', 'preference-applied', 'proxy-status', 'retry-after', 'www-authenticate', 'x-sb-error-code',
  'x-supabase-api-version',
];

/** Browsers on these origins may call. A function's answers carry its own CORS headers, here as on Supabase. */
export function allowOrigins(origins: readonly string[]): MiddlewareHandler {
  return cors({
    origin: [...origins],
    allowMethods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowHeaders: requestHeaders,
    exposeHeaders: responseHeaders,
    maxAge: preflightSeconds,
  });
}
