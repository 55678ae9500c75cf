import pg from 'pg';

/** What everybody can guess: the password in `.env.example`, and that of Supabase's and PostgreSQL's own examples. */
const knownPasswords: readonly string[] = ['password', 'postgres'];

/**
 * What forbids to use this address of a database, in words that hold nothing of the address itself: they are printed.
 *
 * With NODE_ENV=production every address is checked, with `development` and `test` none. If it is not set nobody has said that
 * a guessable password will do, and nobody that this is production: an address of this machine passes, one of another is checked.
 *
 * Called for each address that a process or a command is given.
 */
export function problemsOfDatabaseUrl(url: string, environment: string | undefined): string[] {
  if (isTornByItsPassword(url)) return [tornByItsPassword];
  const target = readAsTheDriverWill(url);
  if (target === undefined) return ['cannot be read as an address, or names a certificate that is not there'];
  const { host, user, password, encrypted } = target;
  const isLocal = host.startsWith('/') || /^(localhost|127(\.\d+){3}|::1)$/.test(host);
  if (environment ? environment !== 'production' : isLocal) return [];

  const problems: string[] = [];
  if (isGuessable(user, password)) {
    problems.push('needs a password of its own: not empty, not the name of the user, none of an example');
  }
  if (!isLocal && !encrypted && !statesPlaintext(url)) {
    problems.push('goes to another machine without TLS: add ?sslmode=verify-full, or ?sslmode=disable for a private network');
  }
  return problems;
}

/** Where an address leads and as whom, for logs. */
export function describeDatabase(url: string): string {
  const { user, host, port, database } = new pg.Client({ connectionString: url });
  return `${user} at ${host}:${port}/${database}`;
}

export function isGuessable(user: string, password: string): boolean {
  return password === '' || password === user || knownPasswords.includes(password);
}

/** With its defaults and the PG* variables of the environment. */
function readAsTheDriverWill(url: string) {
  try {
    const { host, user = '', password, ssl: encrypted } = new pg.Client({ connectionString: url });
    return { host, user, password: password ?? '', encrypted };
  } catch {
    return undefined;
  }
}

const tornByItsPassword =
  'has an @ or a # behind its host, as if its password had a / or a #: write those of a password as %XX (@ is %40, / %2F, # %23), or leave the password out and give it in PGPASSWORD';

/** A part of the password would be taken for the host then, or for the database, and be printed as such. */
function isTornByItsPassword(url: string): boolean {
  return /^[a-z]+:\/\/[^/?#]*[/?#].*[@#]|^[a-z]+:\/\/[^/?#]*#/i.test(url);
}

function statesPlaintext(url: string): boolean {
  return /[?&]sslmode=disable(&|$)/.test(url);
}
