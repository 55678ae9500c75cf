import { randomUUID } from 'node:crypto';
import { type Context, Hono } from 'hono';
import { z } from 'zod';
import type { Admissions } from './admission.ts';
import type { Hub } from './hub.ts';
import { maxBroadcastBytes } from './limits.ts';

const fits = (payload: object) => Buffer.byteLength(JSON.stringify(payload)) <= maxBroadcastBytes;

const message = z.object({
  topic: z.string().min(1).max(255).regex(/^[^\0]*$/),
  event: z.string().min(1),
  payload: z.record(z.string(), z.unknown()).refine(fits, 'Payload size exceeds tenant limit'),
  private: z.boolean().default(false),
});
const bodySchema = z.object({ messages: z.array(message).min(1, "can't be blank") });

export interface RestBroadcastOptions {
  readonly hub: Hub;
  readonly admissions: Admissions;
}

/**
 * Broadcasts over HTTP, as Realtime takes them: 202 says that it was understood, not that anybody may hear it. What the sender may
 * not send is dropped without a word, and so are public messages, since this project has private channels only.
 */
export function createRestBroadcast({ hub, admissions }: RestBroadcastOptions): Hono {
  const routes = new Hono();

  routes.post('/api/broadcast', async (context) => {
    const token = bearerOf(context);
    if (!(await admissions.knows(token))) return context.json({ message: 'Unauthorized' }, 401);
    const body = bodySchema.safeParse(await context.req.json().catch(() => undefined));
    if (!body.success) return context.json({ errors: { messages: body.error.issues.map(describeIssue) } }, 422);
    for (const { topic, event, payload } of body.data.messages.filter(({ private: isPrivate }) => isPrivate)) {
      if (await admissions.maySend(topic, token)) hub.deliver({ id: randomUUID(), topic, event, payload: JSON.stringify(payload) });
    }
    return context.body(null, 202);
  });

  return routes;
}

function describeIssue({ path, message: text }: z.core.$ZodIssue): string {
  return `${path.join('.')} ${text}`;
}

function bearerOf(context: Context): string | null {
  const [scheme, token] = (context.req.header('authorization') ?? '').split(' ');
  return scheme?.toLowerCase() === 'bearer' && token ? token : null;
}
