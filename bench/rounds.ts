import { availableParallelism } from 'node:os';
import { openLeanConnection, type LeanConnection, type Value } from './lean-connection.ts';
import { quantile } from './quantile.ts';
import { round } from './row.ts';

/** One of the things that are compared: a statement, and what to call it with. */
export interface Variant {
  readonly url: string;
  readonly statement: string;
  /** Statements for a connection before its first call; it gets the connection's number from 0. */
  readonly setUp?: (connection: number) => string;
  /** For one call. */
  readonly values: () => readonly Value[];
}

export interface Measured {
  /** Calls in a second, one figure a round. */
  readonly rates: readonly number[];
  /** This process's part of all processor time, 0 to 1, one figure a round. */
  readonly clientShares: readonly number[];
}

const rounds = 6;
const roundMs = 3_000;
const shortestRoundMs = 300;

/**
 * Runs the variants in turn, A B A B …, so that whatever else happens on the machine meets all of them alike. The connections stay
 * open throughout; one short round of each, before the first, warms up.
 */
export async function measureRounds<Name extends string>(
  variants: Readonly<Record<Name, Variant>>,
  { connections, scale }: { readonly connections: number; readonly scale: number },
): Promise<Record<Name, Measured>> {
  const names = Object.keys(variants) as Name[];
  // fromEntries forgets which names there are.
  const measured = Object.fromEntries(names.map((name) => [name, { rates: [], clientShares: [] }])) as unknown as
    Record<Name, { rates: number[]; clientShares: number[] }>;
  const open = new Map<Name, LeanConnection[]>();
  try {
    for (const name of names) open.set(name, await connect(variants[name], connections));
    for (const name of names) await runFor(shortestRoundMs, open.get(name)!, variants[name]);
    for (let n = 0; n < rounds; n += 1) {
      for (const name of names) {
        const { rate, clientShare } = await runFor(Math.max(shortestRoundMs, roundMs * scale), open.get(name)!, variants[name]);
        measured[name].rates.push(rate);
        measured[name].clientShares.push(clientShare);
      }
    }
    return measured;
  } finally {
    await Promise.all([...open.values()].flat().map((connection) => connection.close()));
  }
}

function connect({ url, statement, setUp }: Variant, connections: number): Promise<LeanConnection[]> {
  return Promise.all(Array.from({ length: connections }, (_, n) => openLeanConnection(url, statement, setUp?.(n))));
}

async function runFor(ms: number, connections: readonly LeanConnection[], { values }: Variant) {
  const processorBefore = process.cpuUsage();
  const beganAt = performance.now();
  const counts = await Promise.all(connections.map(async ({ run }) => {
    let calls = 0;
    for (; performance.now() - beganAt < ms; calls += 1) await run(values());
    return calls;
  }));
  const elapsedMs = performance.now() - beganAt;
  const { user, system } = process.cpuUsage(processorBefore);
  return {
    rate: counts.reduce((sum, calls) => sum + calls, 0) / (elapsedMs / 1000),
    clientShare: (user + system) / 1000 / (elapsedMs * availableParallelism()),
  };
}

/** The rate of each round by that of the baseline in the same round. */
export function ratios(measured: Measured, baseline: Measured): number[] {
  return measured.rates.map((rate, n) => rate / baseline.rates[n]!);
}

/** Medians of both: calls in a second, and the client's part of the processors. */
export function describeRates(measured: Measured, baseline: Measured): string {
  const rates = [measured, baseline].map(({ rates: values }) => `${quantile(values, 0.5).toFixed(0)}/s`);
  const shares = [measured, baseline].map(({ clientShares }) => `${round(quantile(clientShares, 0.5) * 100)} %`);
  return `${rates.join(' : ')}; client ${shares.join(' : ')}`;
}
