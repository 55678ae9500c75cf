-- Broadcasts on their way to clients. realtime.send() inserts, the WAL carries the row to Realtime (locally: to the gateway), and
-- nobody reads the table but the probe that authorises a join. A day's partition is dropped whole, which costs nothing.

create table realtime.messages (
  topic text not null,
  extension text not null,
  payload jsonb,
  event text,
  private boolean default false,
  updated_at timestamp not null default now(),
  inserted_at timestamp not null default now(),
  id uuid not null default gen_random_uuid(),
  binary_payload bytea,
  primary key (id, inserted_at)
) partition by range (inserted_at);
-- If the schema was there before us, its owner is another role: the partitions are made by the table's owner.
grant usage, create on schema realtime to supabase_realtime_admin;
alter table realtime.messages owner to supabase_realtime_admin;
alter table realtime.messages enable row level security;
grant select, insert, update on realtime.messages to anon, authenticated, service_role;

comment on table realtime.messages is 'Stand-in for the table of Supabase Realtime: broadcasts on their way to clients.';

-- By the root's name, so that who follows it need not know of partitions.
create publication supabase_realtime_messages_publication
  for table realtime.messages
  with (publish = 'insert', publish_via_partition_root = true);
alter publication supabase_realtime_messages_publication owner to supabase_realtime_admin;
