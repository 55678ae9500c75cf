import { afterEach, describe, expect, it, vi } from 'vitest';
import { readFromRoot } from '../testing/tracked-files.ts';
import { describeDatabase, problemsOfDatabaseUrl } from './database-url.ts';

afterEach(() => vi.unstubAllEnvs());

const guessable = /password of its own/;
const plaintext = /without TLS/;

/** What is wrong with each in production, and if NODE_ENV is not set. */
const addresses = [
  {
    what: 'a password of its own, on this machine',
    url: 'postgresql://intent_worker:Xk3q@127.0.0.1/intent',
    production: [],
    unset: [],
  },
  {
    what: 'no password, on this machine',
    url: 'postgresql://intent_worker@localhost/intent',
    production: [guessable],
    unset: [],
  },
  {
    what: 'the name of the user as password',
    url: 'postgresql://intent_worker:intent_worker@[::1]/intent',
    production: [guessable],
    unset: [],
  },
  {
    what: 'the same, in the query',
    url: 'postgresql://h/i?host=127.0.0.1&user=a&password=a',
    production: [guessable],
    unset: [],
  },
  {
    what: 'a percent-encoded example as password',
    url: 'postgresql://a:%70assword@127.0.0.1/i',
    production: [guessable],
    unset: [],
  },
  {
    what: 'a socket',
    url: 'postgresql://a:Xk3q@/i?host=/var/run/postgresql',
    production: [],
    unset: [],
  },
  {
    what: 'another machine, without a word about TLS',
    url: 'postgresql://a:Xk3q@db.example/i',
    production: [plaintext],
    unset: [plaintext],
  },
  {
    what: 'a machine that is named like this one',
    url: 'postgresql://a:Xk3q@localhost.example/i',
    production: [plaintext],
    unset: [plaintext],
  },
  {
    what: 'another machine, with TLS',
    url: 'postgresql://a:Xk3q@db.example/i?sslmode=verify-full',
    production: [],
    unset: [],
  },
  {
    what: 'another machine, plaintext as stated',
    url: 'postgresql://a:Xk3q@db/i?application_name=x&sslmode=disable',
    production: [],
    unset: [],
  },
  {
    what: 'an example as password and plaintext',
    url: 'postgresql://a:postgres@db/i',
    production: [guessable, plaintext],
    unset: [guessable, plaintext],
  },
];

describe('the address of a database', () => {
  it.each(addresses)('with $what is judged by NODE_ENV', ({ url, production, unset }) => {
    const matching = (patterns: RegExp[]) => patterns.map((pattern) => expect.stringMatching(pattern) as string);
    expect(problemsOfDatabaseUrl(url, 'production')).toEqual(matching(production));
    expect(problemsOfDatabaseUrl(url, undefined)).toEqual(matching(unset));
    expect(problemsOfDatabaseUrl(url, '')).toEqual(matching(unset));
    expect(problemsOfDatabaseUrl(url, 'development')).toEqual([]);
  });

  it('that .env.example gives is never taken in production', () => {
    const examples = readFromRoot('.env.example').match(/(?<=^# \w+=)postgresql:\S+/gm)!;
    expect(examples).toHaveLength(4);
    for (const example of examples) expect(problemsOfDatabaseUrl(example, 'production')).toEqual([expect.stringMatching(guessable)]);
  });

  it('is described without its password', () => {
    expect(describeDatabase('postgresql://intent_pump:S3cret@db.example:6543/intent')).toBe('intent_pump at db.example:6543/intent');
  });

  it.each(['a/b', '1/b', 'a#b', '1#b', '1?b', '1?b/c', 'p@ss/w:rd#1', 'x/y@z'])('into which the password %s was put as it is is refused everywhere, in words that hold nothing of it', (password) => {
    for (const environment of ['production', 'development', 'test', undefined]) {
      const problems = problemsOfDatabaseUrl(`postgresql://intent_worker:Xk3q${password}@postgres:5432/postgres?sslmode=disable`, environment);
      expect(problems).toEqual([expect.stringContaining('PGPASSWORD')]);
      expect(problems[0]).not.toMatch(/Xk3q|p@ss|w:rd/);
    }
  });

  it('takes a password with an @ or a colon as it is, since the driver does', () => {
    expect(problemsOfDatabaseUrl('postgresql://a:X@k:3q@127.0.0.1:5432/i', 'production')).toEqual([]);
    expect(describeDatabase('postgresql://a:X@k:3q@127.0.0.1:5432/i')).toBe('a at 127.0.0.1:5432/i');
  });

  it('may leave the password and TLS to the variables that the driver reads', () => {
    vi.stubEnv('PGPASSWORD', 'Xk3q');
    vi.stubEnv('PGSSLMODE', 'verify-full');
    expect(problemsOfDatabaseUrl('postgresql://a@db.example/i', 'production')).toEqual([]);
  });

  it.each(['postgresql://a:S3cret@h:none/i', 'postgresql://a:S3cret@h/i?sslrootcert=/nowhere/ca.crt'])(
    'that cannot be read is refused everywhere, without repeating it: %s',
    (url) => {
      for (const environment of ['production', 'development', 'test', undefined]) {
        const problems = problemsOfDatabaseUrl(url, environment);
        expect(problems).toHaveLength(1);
        expect(problems[0]).not.toContain('S3cret');
      }
    },
  );
});
