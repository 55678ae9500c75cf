import { parseArgs } from 'node:util';
import type { Fault } from './faults/fault.ts';
import { faults } from './faults/faults.ts';

export const help = `Usage: npm run chaos -- [--minutes 10] [--seed 42] [--faults kill-pump,cut-doorbell] [--replay file]
                        [--embedded] [--hosted] [--pooled] [--cluster] [--list]

Runs two pumps and two workers on servers of their own, sends commands of three tenants, breaks something, mends it, waits for
rest and checks every promise; and so on until the time is over. Ends with 0 where all was kept, 1 where not, 2 where it was called
wrongly.

  --minutes n   how long new faults are begun (10)
  --seed n      of everything that is left to chance (a new one each time)
  --faults a,b  only these, by name or by family (all)
  --replay file repeats the timeline that a failed run has left
  --embedded    the pumps inside the workers
  --hosted      the database laid out as a hosted Supabase project's: roles, owners and grants; the seed chooses among the layouts
  --pooled      the pumps by way of a pooler in session mode, which needs pgbouncer (Debian: apt-get install pgbouncer)
  --cluster     Temporal as in production: eight processes on PostgreSQL, with mTLS and an API key, and each of them is killed in
                turn too; needs Go and OpenSSL
  --keep        leaves the logs of the processes
  --list        the faults
  --help        this text`;

export class UsageError extends Error {}

export interface Options {
  readonly minutes: number;
  /** Undefined: a new one. */
  readonly seed: number | undefined;
  readonly faultNames: readonly string[];
  readonly replay: string | undefined;
  readonly keep: boolean;
  readonly isEmbedded: boolean;
  readonly isHosted: boolean;
  readonly isPooled: boolean;
  readonly isCluster: boolean;
  readonly show: 'help' | 'list' | undefined;
}

/** Throws `UsageError`. */
export function readOptions(args: readonly string[]): Options {
  const values = parse(args);
  return {
    minutes: readNumber('minutes', values.minutes) ?? 10,
    seed: readNumber('seed', values.seed),
    faultNames: chooseFaults(values.faults, values.cluster),
    replay: values.replay,
    keep: values.keep,
    isEmbedded: values.embedded,
    isHosted: values.hosted,
    isPooled: values.pooled,
    isCluster: values.cluster,
    show: values.help ? 'help' : values.list ? 'list' : undefined,
  };
}

/** Every fault, under its family. */
export function listFaults(): string {
  const families = Map.groupBy(faults.values(), ({ family }) => family);
  return [...families].map(([family, list]) => [`${family}:`, ...list.map(line)].join('\n')).join('\n');
}

function line({ name, about, restWithinMs, needsCluster = false }: Fault): string {
  return `  ${name.padEnd(28)} ${about} (${needsCluster ? '--cluster; ' : ''}rest within ${restWithinMs / 1_000} s)`;
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        minutes: { type: 'string' },
        seed: { type: 'string' },
        faults: { type: 'string' },
        replay: { type: 'string' },
        embedded: { type: 'boolean', default: false },
        hosted: { type: 'boolean', default: false },
        pooled: { type: 'boolean', default: false },
        cluster: { type: 'boolean', default: false },
        keep: { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function readNumber(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0) || value >= 2 ** 32) throw new UsageError(`--${name} needs a number.`);
  return value;
}

/** All that can be done to this Temporal, or what is wanted of it. */
function chooseFaults(wanted: string | undefined, isCluster: boolean): string[] {
  const possible = [...faults.values()].filter(({ needsCluster = false }) => isCluster || !needsCluster);
  if (wanted === undefined) return possible.map(({ name }) => name);
  return wanted.split(',').flatMap((each) => {
    const names = possible.filter(({ name, family }) => name === each || family === each).map(({ name }) => name);
    if (names.length > 0) return names;
    throw new UsageError(faults.has(each) ? `${each} needs --cluster.` : `There is no fault ${each}; --list names them.`);
  });
}
