import pg from 'pg';
import { pino } from 'pino';
import { createSubscriptionFeed } from '../../src/adapters/postgres/subscription-feed.ts';
import { systemClock } from '../../src/adapters/system/clock.ts';
import { runSubscription } from '../../src/application/run-subscription.ts';
import { createTables, keepSpending } from './spending.ts';

// DATABASE_URL as intent_worker, SPENDING_DATABASE_URL as a role that may create tables there. Start it as often as you like: the
// processes share the work. Ctrl-C ends it when the event in hand is dealt with.
const events = new pg.Pool({ connectionString: process.env['DATABASE_URL'] });
const tables = new pg.Pool({ connectionString: process.env['SPENDING_DATABASE_URL'] });
const log = pino({ name: 'spending' });
// Without a listener, the end of an idle connection would end the process.
for (const pool of [events, tables]) pool.on('error', (error) => log.warn({ err: error }, 'An idle connection was lost'));
const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stopping.abort());

await createTables(tables);
const feed = createSubscriptionFeed({ pool: events, subscription: 'spending-by-week' });
await runSubscription({ feed, handle: keepSpending(tables), clock: systemClock, log }, stopping.signal);
await Promise.all([events.end(), tables.end()]);
