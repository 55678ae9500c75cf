import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { loadSecrets, type Secrets } from '../local/secrets.ts';
import { needs } from './needs.ts';
import { queryOnce } from './query-once.ts';

const stack = inject('stack');
const payload = `payload-${randomUUID()}`;
let directory: string;
/** What nobody but its user may see, by its name. */
let known: Readonly<Record<string, string>>;
/** What a command was answered, with a good token and with a forged one. */
let answers: number[];
let tokens: { readonly access_token: string; readonly refresh_token: string };

beforeAll(async () => {
  const [row] = await queryOnce(stack.databaseUrl, `select current_setting('data_directory') as directory`);
  directory = dirname(row!['directory'] as string);
  known = byName(await loadSecrets(directory));
  tokens = await signIn(stack.users[0]!);
  await signIn({ ...stack.users[0]!, password: `${stack.users[0]!.password}!` });
  answers = [await send(tokens.access_token), await send(`${tokens.access_token.slice(0, -8)}AAAAAAAA`)];
});

function byName({ postgresPassword, rolePasswords, demoPassword, signingKey }: Secrets): Record<string, string> {
  return { postgres: postgresPassword, ...rolePasswords, demo: demoPassword, 'signing key': signingKey.d };
}

async function signIn({ email, password }: { email: string; password: string }): Promise<typeof tokens> {
  const response = await fetch(`${stack.apiUrl}/auth/v1/token?grant_type=password`, {
    method: 'POST',
    headers: { apikey: stack.publishableKey, 'Content-Type': 'application/json' },
    body: JSON.stringify({ email, password }),
  });
  const { access_token, refresh_token } = (await response.json()) as typeof tokens;
  return { access_token, refresh_token };
}

/** A whole command, so that every process has had something to log. */
async function send(token: string): Promise<number> {
  const response = await fetch(`${stack.apiUrl}/functions/v1/command`, {
    method: 'POST',
    headers: { apikey: stack.publishableKey, Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', Prefer: 'wait=15' },
    body: JSON.stringify({
      commandId: randomUUID(),
      type: 'PlaceOrder',
      aggregateId: randomUUID(),
      payload: { budgetId: 'groceries', lines: [{ item: payload, quantity: 1, unitPrice: 1 }] },
    }),
  });
  return response.status;
}

/** Which of them a text holds. */
function heldBy(text: string, secrets = known): string[] {
  return Object.entries(secrets).filter(([, secret]) => text.includes(secret)).map(([name]) => name);
}

function recorded(): { name: string; pid: number }[] {
  return readdirSync(join(directory, 'run')).map((file) => {
    const { pid } = JSON.parse(readFileSync(join(directory, 'run', file), 'utf8')) as { pid: number };
    return { name: file.replace(/\.json$/, ''), pid };
  });
}

describe('of the secrets of a running stack', needs(process.platform === 'linux', '/proc is only on Linux'), () => {
  it('none is in the arguments of any process, which everybody on the machine can read', () => {
    const pids = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
    const commandLines = pids.map((pid) => [pid, readUnlessGone(`/proc/${pid}/cmdline`)] as const);
    const ours = recorded().map(({ pid }) => String(pid));
    expect(commandLines.filter(([pid, line]) => ours.includes(pid) && line !== '')).toHaveLength(ours.length);
    expect(commandLines.flatMap(([, line]) => heldBy(line))).toEqual([]);
  });

  it('each is in the environment of only the process that logs in with it', () => {
    const held = Object.fromEntries(recorded().map(({ name, pid }) => [name, heldBy(readFileSync(`/proc/${pid}/environ`, 'utf8'))]));
    const { worker, postgrest, ...others } = held;
    expect({ worker, postgrest }).toEqual({ worker: ['intent_pump', 'intent_worker'], postgrest: ['authenticator'] });
    expect(Object.keys(others)).toEqual(expect.arrayContaining(['postgres', 'edge-function']));
    expect(Object.values(others).flat()).toEqual([]);
  });
});

it('no log holds a secret, a token or the payload of a command', () => {
  expect(answers).toEqual([200, 401]);
  const logs = readdirSync(join(directory, 'logs'));
  expect(logs).toEqual(expect.arrayContaining(['edge-function.log', 'postgres.log', 'worker.log']));
  const text = logs.map((file) => readFileSync(join(directory, 'logs', file), 'utf8')).join('\n');
  expect(text).toContain('"msg":"Ready"');
  expect(heldBy(text, { ...known, ...tokens, payload })).toEqual([]);
});

it('no other user of the machine can read the files that hold them', () => {
  const files = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isFile()).map(({ name }) => join(directory, name));
  const holders = files.filter((file) => heldBy(readFileSync(file, 'utf8')).length > 0);
  expect(holders).toContain(join(directory, 'secrets.json'));
  expect(holders.filter((file) => (statSync(file).mode & 0o077) !== 0)).toEqual([]);
});

function readUnlessGone(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
