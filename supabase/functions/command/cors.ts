/** Browsers may call from configured origins only. No cookies are used, so nothing is allowed with credentials. */
export type Cors = (request: Request) => Headers;

const preflightSeconds = 600;

const allowedHeaders = [
  'apikey',
  'authorization',
  'baggage',
  'content-type',
  'prefer',
  'traceparent',
  'tracestate',
  'x-client-info',
  'x-region',
  'x-retry-count',
  'x-supabase-api-version',
];

/** Headers to add to the answer of a request, whatever the answer is. */
export function createCors(allowedOrigins: readonly string[]): Cors {
  return (request) => {
    const headers = new Headers({ Vary: 'Origin' });
    const origin = request.headers.get('Origin');
    if (origin === null || !allowedOrigins.includes(origin)) return headers;
    headers.set('Access-Control-Allow-Origin', origin);
    headers.set('Access-Control-Expose-Headers', 'Preference-Applied, Retry-After');
    if (request.method === 'OPTIONS') {
      headers.set('Access-Control-Allow-Methods', 'POST');
      headers.set('Access-Control-Allow-Headers', allowedHeaders.join(', '));
      headers.set('Access-Control-Max-Age', String(preflightSeconds));
    }
    return headers;
  };
}
