import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { StackError } from '../../local/stack-error.ts';

const usersSchema = z.array(z.looseObject({ email: z.string().min(1), password: z.string().min(1) })).min(2);
const fileSchema = z.union([usersSchema, z.looseObject({ users: usersSchema })]);

export interface Credentials {
  readonly email: string;
  readonly password: string;
}

/** What is looked at: a hosted project or a stand-in, as two of its users who share no tenant. */
export interface Target {
  /** Without a slash at the end. */
  readonly url: string;
  readonly key: string;
  readonly first: Credentials;
  readonly second: Credentials;
}

export interface TargetOptions {
  readonly url?: string | undefined;
  readonly key?: string | undefined;
  /** A file. */
  readonly users?: string | undefined;
  /** The text of such a file, from the environment. */
  readonly usersJson?: string | undefined;
}

/** @throws StackError that names what is missing. */
export function readTarget({ url, key, users, usersJson }: TargetOptions): Target {
  if (!url || !URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new StackError('There is no address to look at.', 'Give --url, as in https://<project>.supabase.co or http://127.0.0.1:54321.');
  }
  if (!key) throw new StackError('There is no key.', "Give --key with the project's publishable key. It is public.");
  if (key.startsWith('sb_secret_')) throw new StackError('This is a secret key.', 'Give the publishable one: nothing here needs more.');
  const text = users === undefined ? usersJson : readUsers(users);
  if (!text) {
    throw new StackError('There are no users.', 'Give --users with a file, or CONFORMANCE_USERS: [{ "email": "…", "password": "…" }, …].');
  }
  const [first, second] = parseUsers(text);
  return { url: url.replace(/\/+$/, ''), key, first: first!, second: second! };
}

function readUsers(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new StackError(`The file of --users cannot be read: ${(cause as Error).message}`, 'Check its path.', { cause });
  }
}

/** Of a list the first two; of a stack.json the first two who share no tenant. Tells nothing of what is in it. */
function parseUsers(text: string): Credentials[] {
  const parsed = fileSchema.safeParse(parseJson(text));
  if (!parsed.success) {
    throw new StackError(
      'The users are not what they should be.',
      'Give a JSON list of two users or more, who share no tenant: [{ "email": "…", "password": "…" }, …]. A stack.json will do, too.',
    );
  }
  const users = Array.isArray(parsed.data) ? parsed.data : parsed.data.users;
  const apart = users.flatMap((first, index) => users.slice(index + 1).map((second) => [first, second])).find(([first, second]) => {
    return !tenantsOf(first!).some((tenant) => tenantsOf(second!).includes(tenant));
  });
  return apart ?? users;
}

function tenantsOf({ tenants }: Record<string, unknown>): string[] {
  const listed = z.array(z.looseObject({ tenantId: z.string() })).safeParse(tenants);
  return listed.success ? listed.data.map(({ tenantId }) => tenantId) : [];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
