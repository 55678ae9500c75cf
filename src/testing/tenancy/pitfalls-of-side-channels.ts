import { claimsIn, rose, thorn } from './households.ts';
import type { Pitfall } from './pitfall.ts';

// Ways past the rows themselves: statistics, sequences, copies, publications, topics.

const dave = { claims: claimsIn(thorn, thorn.owner) };
const join = (topic: string) => [dave, `select set_config('realtime.topic', '${topic}', true)`] as const;
const topicOf = ({ tenantId }: typeof rose, rest: string) => `tenant:${tenantId}:${rest}`;

export const pitfallsOfSideChannels: readonly Pitfall[] = [
  {
    number: 25,
    name: 'statistics show the values of others',
    given: 'analyze intent.orders',
    attempt: [[dave, `select from pg_stats where schemaname = 'intent' and tablename = 'orders' and attname = 'placed_by'`]],
    guarded: '0 rows',
    unguard: 'alter table intent.orders disable row level security',
    unguarded: '1 rows',
  },
  {
    number: 26,
    name: 'the last_value of a sequence counts for all: ours are for nobody, and there is none (the census sees to it)',
    attempt: [['intent_owner', 'create sequence intent.order_numbers'], [dave, 'select last_value from intent.order_numbers']],
    guarded: '42501',
    unguard: 'alter default privileges for role intent_owner grant select on sequences to authenticated',
    unguarded: '1 rows',
  },
  {
    number: 27,
    name: 'COPY a table out',
    attempt: [[dave, 'copy intent.orders to stdout']],
    guarded: '1 rows',
    unguard: 'alter table intent.orders disable row level security',
    unguarded: '2 rows',
  },
  {
    number: 27,
    name: 'COPY into a table, should people ever get the privilege',
    given: `grant insert on intent.orders to authenticated;
      create policy members_write on intent.orders for insert to authenticated with check (true)`,
    attempt: [[dave, 'copy intent.orders from stdin']],
    guarded: '0A000',
    unguard: 'alter table intent.orders disable row level security',
    // The server waits for rows; the driver has none, and cancels.
    unguarded: '57014',
  },
  {
    number: 31,
    name: 'no LEAKPROOF functions of ours: one is called with the rows of others before the wall is asked',
    given: `create function public.look_at(tenant uuid) returns boolean language plpgsql cost 0.0001 as $$
      begin
        if tenant = '${rose.tenantId}' then raise exception 'seen'; end if;
        return true;
      end $$`,
    attempt: [
      [dave, 'set local enable_indexscan = off'],
      [dave, 'set local enable_bitmapscan = off'],
      [dave, 'select from intent.orders where public.look_at(tenant_id)'],
    ],
    guarded: '1 rows',
    unguard: 'alter function public.look_at(uuid) leakproof',
    unguarded: 'P0001',
  },
  {
    number: 33,
    name: 'publications bypass RLS: nobody makes one',
    attempt: [['intent_owner', 'create publication orders_of_all for table intent.orders']],
    guarded: '42501',
    unguard: `do $$ begin execute format('grant create on database %I to intent_owner', current_database()); end $$`,
    unguarded: '0 rows',
  },
  ...[
    topicOf(rose, 'events'),
    topicOf(rose, `user:${rose.owner}`),
    topicOf(rose, `user:${thorn.owner}`),
    topicOf(thorn, `user:${rose.owner}`),
    topicOf(thorn, 'user:'),
    'tenant:%:events',
    'tenant::events',
    `${topicOf(thorn, 'events')},${topicOf(rose, 'events')}`,
    topicOf(rose, 'events').toUpperCase(),
  ].map((topic) => ({
    number: 34,
    name: `guessing another tenant's realtime topic: ${topic}`,
    given: `insert into realtime.messages (topic, extension, event, payload) values ('${topic}', 'broadcast', 'probe', '{}')`,
    attempt: [join(topic), [dave, `select from realtime.messages where topic = '${topic}' and event = 'probe'`]] as const,
    guarded: '0 rows',
    unguard: 'alter policy intent_members_listen on realtime.messages using (true)',
    unguarded: '1 rows',
  })),
  {
    number: 34,
    name: 'the topic of its own tenant shows no message of another one',
    attempt: [
      join(topicOf(thorn, 'events')),
      [dave, `select from realtime.messages where topic = '${topicOf(rose, 'events')}'`],
    ],
    guarded: '0 rows',
    unguard: 'alter policy intent_members_listen on realtime.messages using (true)',
    unguarded: '2 rows',
  },
  {
    number: 34,
    name: 'nobody sends into a topic, not even of its own tenant',
    attempt: [[dave, `insert into realtime.messages (topic, extension, event) values ('${topicOf(thorn, 'events')}', 'broadcast', 'forged')`]],
    guarded: '42501',
    unguard: 'create policy convenience on realtime.messages for insert to authenticated with check (true)',
    unguarded: '1 rows',
  },
  {
    number: 34,
    name: "nobody sees who is present on another tenant's channel",
    given: `insert into realtime.messages (topic, extension) values ('${topicOf(rose, 'events')}', 'presence')`,
    attempt: [join(topicOf(rose, 'events')), [dave, `select from realtime.messages where extension = 'presence'`]],
    guarded: '0 rows',
    unguard: 'alter policy intent_members_see_presence on realtime.messages using (true)',
    unguarded: '1 rows',
  },
  {
    number: 34,
    name: "nobody appears on another tenant's channel",
    attempt: [
      join(topicOf(rose, 'events')),
      [dave, `insert into realtime.messages (topic, extension) values ('${topicOf(rose, 'events')}', 'presence')`],
    ],
    guarded: '42501',
    unguard: 'alter policy intent_members_are_present on realtime.messages with check (true)',
    unguarded: '1 rows',
  },
];
