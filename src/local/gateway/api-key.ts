import type { MiddlewareHandler } from 'hono';

/** Supabase's gateway lets nobody in without the project's key. It is public, so no comparison in constant time. */
export function requireApiKey(publishableKey: string): MiddlewareHandler {
  return async (context, next) => {
    const given = context.req.header('apikey') ?? context.req.query('apikey');
    if (given === publishableKey) return next();
    const message = given ? 'Invalid API key' : 'No API key found in request';
    return context.json({ message, hint: 'Send the publishable key in the header apikey.' }, 401);
  };
}
