// Loaded before a pump or a worker by `node --import die-at.ts?point=after-claim`: the process kills itself there, the first time that
// it comes so far. What runs in production knows nothing of it: every side effect of theirs is a call of one of our SQL functions, so
// the driver is where all of them can be met.
import pg from 'pg';
import { type FailPoint, failPoints } from './fail-points.ts';

const point = new URL(import.meta.url).searchParams.get('point') as FailPoint;
const { when, calls } = failPoints[point];
const query = pg.Client.prototype.query as (...args: unknown[]) => unknown;

pg.Client.prototype.query = function dieAt(this: pg.Client, ...args: unknown[]): unknown {
  const [statement] = args;
  if (typeof statement !== 'string' || !statement.includes(calls)) return query.apply(this, args);
  if (when === 'before') return die();
  // Every one of these goes through the pool, which passes a callback.
  const callback = args.at(-1) as (error: Error | null, result?: pg.QueryResult) => void;
  const afterwards: typeof callback = (error, result) => {
    if ((result?.rowCount ?? 0) > 0) die();
    callback(error, result);
  };
  return query.apply(this, [...args.slice(0, -1), afterwards]);
} as typeof pg.Client.prototype.query;

function die(): void {
  process.kill(process.pid, 'SIGKILL');
}
