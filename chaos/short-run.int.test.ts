import { join } from 'node:path';
import { expect, it } from 'vitest';
import { intentDirectory } from '../src/local/paths.ts';
import { locateTemporal } from '../src/local/temporal/locate-temporal.ts';
import { describeViolation } from './checker/violation.ts';
import { runChaos } from './runner.ts';
import { needs } from '../src/testing/needs.ts';

const seed = 42;
const shortestMs = { warmUpMs: 300, holdMs: 400, seed };
/** Of those that heal soon: one of the clients' side, of the queue, of each process, and of each server's connections. */
const faultNames = [
  'lose-answer-client-postgres',
  'expire-leases',
  'die-after-append',
  'cut-doorbell',
  'kill-pump',
  'terminate-backends',
  'cut-worker-temporal',
];
const { executable } = await locateTemporal({ env: process.env, log: console.log });

it('pumps and workers that are broken in seven ways keep every promise', { timeout: 180_000, ...needs(executable, 'there is no Temporal') }, async () => {
  const steps = faultNames.map((fault) => ({ fault, ...shortestMs }));
  const { timeline, commands, violations } = await runChaos({
    seed,
    nextStep: () => steps.shift(),
    signal: new AbortController().signal,
    log: console.log,
    logsTo: join(intentDirectory(), 'chaos', 'short-run-logs'),
    keep: false,
  });
  expect(timeline.steps.map(({ fault }) => fault)).toEqual(faultNames);
  expect(commands).toBeGreaterThan(faultNames.length);
  // How long rest took says more of the machine than of us when other tests run beside this one; that it came is for the checker.
  expect(violations.filter(({ name }) => name !== 'rest came late').map(describeViolation)).toEqual([]);
});
