import { spawnSync } from 'node:child_process';
import { StackError } from '../stack-error.ts';

/** Whom PostgreSQL runs as: it refuses to be root. */
export interface ServerUser {
  /** Absent: ourselves. */
  readonly uid?: number;
  readonly gid?: number;
  /** Command and arguments as this user must run them. */
  wrap(command: string, args: readonly string[]): { command: string; args: string[]; uid?: number; gid?: number };
}

interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** `paths` are what the server must reach: its programs, and the directory that holds its data. */
export function chooseServerUser(paths: readonly string[]): ServerUser {
  if (process.getuid?.() !== 0) return { wrap: (command, args) => ({ command, args: [...args] }) };
  const account = findAccount('postgres') ?? findAccount('nobody');
  if (account === undefined) {
    throw new StackError('PostgreSQL refuses to run as root, and there is neither a user `postgres` nor `nobody`.', remedy);
  }
  const hidden = paths.find((path) => !canReach(path, account));
  if (hidden === undefined) return { ...account, wrap: (command, args) => ({ command, args: [...args], ...account }) };

  // A clone in /root, say. The right to pass through directories is all that the server lacks.
  const prefix = readAnywhere(account);
  if (spawnSync('setpriv', [...prefix, 'test', '-x', hidden]).status !== 0) {
    throw new StackError(`PostgreSQL refuses to run as root, and its user (uid ${account.uid}) cannot reach ${hidden}.`, remedy);
  }
  return { ...account, wrap: (command, args) => ({ command: 'setpriv', args: [...prefix, command, ...args] }) };
}

const remedy = 'Run as an ordinary user, or move the clone to a directory that everyone may enter (such as /srv).';

function findAccount(name: string): Account | undefined {
  const [uid, gid] = ['-u', '-g'].map((flag) => spawnSync('id', [flag, name], { encoding: 'utf8' }));
  return uid?.status === 0 && gid?.status === 0 ? { uid: Number(uid.stdout), gid: Number(gid.stdout) } : undefined;
}

function canReach(path: string, account: Account): boolean {
  return spawnSync('test', ['-x', path], { ...account, cwd: '/' }).status === 0;
}

function readAnywhere({ uid, gid }: Account): string[] {
  return [
    `--reuid=${uid}`,
    `--regid=${gid}`,
    '--clear-groups',
    // access(2) forgets the capabilities of other users than root, unless this bit is set; initdb asks with access(2).
    '--securebits=+no_setuid_fixup',
    '--inh-caps=-all,+dac_read_search',
    '--ambient-caps=+dac_read_search',
  ];
}
