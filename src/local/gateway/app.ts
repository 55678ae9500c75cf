import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { Pool } from 'pg';
import { requireApiKey } from './api-key.ts';
import { createAuthRoutes } from './auth/routes.ts';
import { allowOrigins } from './cors.ts';
import { refuseUnreadableBody } from './examine-body.ts';
import { refuseLongLists } from './examine-query.ts';
import { refuseUnreadable } from './examine-request.ts';
import type { GatewayMetrics } from './metrics.ts';
import { forwardTo } from './proxy.ts';
import type { Tokens } from './tokens.ts';

const maxBodyBytes = 1024 * 1024;

export interface AppOptions {
  readonly authPool: Pool;
  readonly tokens: Tokens;
  readonly metrics: GatewayMetrics;
  readonly publishableKey: string;
  readonly postgrestUrl: string;
  readonly functionUrl: string;
  readonly allowedOrigins: readonly string[];
  readonly limitAddresses: boolean;
  readonly restBroadcast: Hono;
  readonly log: (line: string) => void;
}

/** What of Supabase's HTTP interface the flow uses. */
export function createApp(options: AppOptions): Hono<{ Bindings: HttpBindings }> {
  const { authPool, tokens, metrics, publishableKey, postgrestUrl, functionUrl, allowedOrigins, limitAddresses, restBroadcast, log } = options;
  const cors = allowOrigins(allowedOrigins);
  const apiKey = requireApiKey(publishableKey);
  const limitBody = bodyLimit({
    maxSize: maxBodyBytes,
    // The rest of the body is not read, so the connection cannot be used again.
    onError: (context) =>
      context.json({ message: `The body is larger than ${maxBodyBytes} bytes` }, 413, { connection: 'close' }),
  });

  const app = new Hono<{ Bindings: HttpBindings }>();
  // It would tell a browser's script the headers that it may not see, and fetch cannot pass it on.
  app.on('TRACE', '*', (context) => context.json({ message: 'TRACE is not answered here' }, 405));
  app.use('/auth/v1/*', cors);
  app.use('/rest/v1/*', cors);
  app.use('/realtime/v1/api/*', cors);
  // Behind the CORS headers, so that a browser's script can read what was wrong.
  app.use(refuseUnreadable);
  app.use('/auth/v1/*', limitBody, refuseUnreadableBody);
  app.use('/rest/v1/*', apiKey, refuseLongLists, limitBody, refuseUnreadableBody);
  app.use('/realtime/v1/api/*', apiKey, limitBody, refuseUnreadableBody);
  app.route('/realtime/v1', restBroadcast);
  app.route('/auth/v1', createAuthRoutes({ pool: authPool, tokens, apiKey, limitAddresses, log }));
  app.all(
    '/rest/v1/*',
    forwardTo({ name: 'PostgREST', url: postgrestUrl, stripPrefix: '/rest/v1', anonymousKey: publishableKey, log }),
  );
  // As on Supabase, a function checks and answers everything by itself: keys, origins and the size of the body.
  app.all('/functions/v1/*', forwardTo({ name: 'The Edge Function', url: functionUrl, stripPrefix: '', log }));

  app.get('/metrics', async (context) => context.body(await metrics.registry.metrics(), 200, { 'content-type': metrics.registry.contentType }));

  app.notFound((context) => context.json({ message: 'There is nothing here' }, 404));
  app.onError((error, context) => {
    log(`gateway: ${error.message}`);
    return context.json({ message: 'Unexpected failure' }, 500);
  });
  return app;
}
