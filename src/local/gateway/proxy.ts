import type { Handler } from 'hono';
import { proxy } from 'hono/proxy';

/** More than the 20 s that a command may wait for its outcome. */
const upstreamTimeoutMs = 60_000;

export interface UpstreamOptions {
  readonly name: string;
  /** Without a slash at the end. */
  readonly url: string;
  /** Cut from the front of the path. */
  readonly stripPrefix: string;
  /** If the caller's Authorization is this key, it names nobody and goes no further. */
  readonly anonymousKey?: string;
  readonly log: (line: string) => void;
}

/** Hands a request on and streams the answer back. */
export function forwardTo({ name, url, stripPrefix, anonymousKey, log }: UpstreamOptions): Handler {
  return async (context) => {
    try {
      return await proxy(`${url}${pathToPassOn(context.req.url, stripPrefix)}`, {
        raw: context.req.raw,
        customFetch: (request) => {
          const { headers } = request;
          // Answered by our server already; fetch refuses to send it.
          headers.delete('expect');
          if (anonymousKey && headers.get('authorization') === `Bearer ${anonymousKey}`) headers.delete('authorization');
          const signal = AbortSignal.any([request.signal, AbortSignal.timeout(upstreamTimeoutMs)]);
          return fetch(request, { redirect: 'manual', signal });
        },
      });
    } catch (error) {
      if (error instanceof Error && error.name === 'TimeoutError') return context.json({ message: `${name} took too long` }, 504);
      if (!context.req.raw.signal.aborted) log(`${name} cannot be reached: ${String(error)}`);
      return context.json({ message: `${name} cannot be reached` }, 502);
    }
  };
}

function pathToPassOn(requestUrl: string, stripPrefix: string): string {
  const target = new URL(requestUrl);
  // It has let the caller in. Behind us it would be taken for a filter, and be written into a log.
  if (target.searchParams.has('apikey')) target.searchParams.delete('apikey');
  return target.pathname.slice(stripPrefix.length) + target.search;
}
