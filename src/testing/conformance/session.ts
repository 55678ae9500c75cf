import { decodeJwt } from 'jose';
import { z } from 'zod';
import { StackError } from '../../local/stack-error.ts';
import type { Context } from './check.ts';
import type { Credentials, Target } from './target.ts';

const timeoutMs = 20_000;

const sessionSchema = z.looseObject({ access_token: z.string(), refresh_token: z.string() });

export type Session = z.infer<typeof sessionSchema>;

export interface User {
  readonly credentials: Credentials;
  readonly session: Session;
  readonly tenantId: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

export interface Request {
  readonly method?: string;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON, or text as it is. */
  readonly body?: unknown;
  /** (Default: true) */
  readonly withKey?: boolean;
}

/** One request, with the publishable key and the version that supabase-js asks for. */
export async function ask({ url, key }: Target, path: string, { method, token, headers, body, withKey = true }: Request = {}): Promise<Answer> {
  const response = await fetch(`${url}${path}`, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: {
      ...(withKey && { apikey: key }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      'x-supabase-api-version': '2024-01-01',
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    signal: AbortSignal.timeout(timeoutMs),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: parse(text) };
}

export async function signIn(target: Target, { email, password }: Credentials): Promise<Session> {
  const answer = await ask(target, '/auth/v1/token?grant_type=password', { body: { email, password } }).catch((cause: Error) => {
    const why = cause.cause instanceof Error ? cause.cause.message : cause.message;
    throw new StackError(`The project cannot be reached: ${why}`, 'Check the address of --url, and that the project runs.', { cause });
  });
  const session = sessionSchema.safeParse(answer.body);
  if (session.success) return session.data;
  throw new StackError(`${email} cannot sign in: status ${answer.status}`, 'Check the address, the key and the password, and whether the address is confirmed.');
}

export function refresh(target: Target, refresh_token: string): Promise<Answer> {
  return ask(target, '/auth/v1/token?grant_type=refresh_token', { body: { refresh_token } });
}

/** Signs both users in. @throws StackError if they cannot, or share a tenant. */
export async function openContext(target: Target): Promise<Context> {
  const first = await openUser(target, target.first);
  const second = await openUser(target, target.second);
  if (first.tenantId === second.tenantId) {
    throw new StackError('Both users are in the same tenant.', 'Give two users who share none, so that the wall between them can be seen.');
  }
  return { target, first, second };
}

/** Ends the sessions that were opened here, and no others. */
export async function closeContext({ target, first, second }: Context): Promise<void> {
  for (const { session } of [first, second]) await ask(target, '/auth/v1/logout?scope=local', { method: 'POST', token: session.access_token });
}

async function openUser(target: Target, credentials: Credentials): Promise<User> {
  const session = await signIn(target, credentials);
  const { tenant_id: tenantId } = decodeJwt(session.access_token);
  if (typeof tenantId === 'string') return { credentials, session, tenantId };
  throw new StackError(
    `The token of ${credentials.email} names no tenant.`,
    'Switch on the access-token hook intent.custom_access_token_hook, and make the user a member of a tenant.',
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
