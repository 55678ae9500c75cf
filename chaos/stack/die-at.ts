// Loaded before a pump or a worker by `node --import die-at.ts?point=after-claim`: the process kills itself there, the first time that
// it comes so far; with `&about=…`, once or more, the first time with all of these texts in what it passes. What runs in production
// knows nothing of it: every side effect of theirs is a call of one of our SQL functions, so the driver is where all of them can be met.
import pg from 'pg';
import { type FailPoint, failPoints } from './fail-points.ts';

const settings = new URL(import.meta.url).searchParams;
const { when, calls } = failPoints[settings.get('point') as FailPoint];
const about = settings.getAll('about');
const query = pg.Client.prototype.query as (...args: unknown[]) => unknown;

pg.Client.prototype.query = function dieAt(this: pg.Client, ...args: unknown[]): unknown {
  const [statement, values] = args;
  if (typeof statement !== 'string' || !statement.includes(calls) || !isAbout(values)) return query.apply(this, args);
  if (when === 'before') return die();
  // Every one of these goes through the pool, which passes a callback.
  const callback = args.at(-1) as (error: Error | null, result?: pg.QueryResult) => void;
  const afterwards: typeof callback = (error, result) => {
    if ((result?.rowCount ?? 0) > 0) die();
    callback(error, result);
  };
  return query.apply(this, [...args.slice(0, -1), afterwards]);
} as typeof pg.Client.prototype.query;

function isAbout(values: unknown): boolean {
  const passed = JSON.stringify(values) ?? '';
  return about.every((text) => passed.includes(text));
}

function die(): void {
  process.kill(process.pid, 'SIGKILL');
}
