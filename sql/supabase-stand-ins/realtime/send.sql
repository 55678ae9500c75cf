-- Sends a broadcast. Triggers call it in the transaction of the change that they tell of, as their owner, under RLS. As in
-- Supabase, a failure here is a WARNING: a broadcast never undoes the change, and may be lost. The payload gets an id, and the
-- setting realtime.topic is left behind for the rest of the transaction.

create function realtime.send(payload jsonb, event text, topic text, private boolean default true) returns void
language plpgsql volatile
as $$
declare
  message_id uuid := gen_random_uuid();
begin
  perform set_config('realtime.topic', topic, true);
  insert into realtime.messages (id, topic, extension, payload, event, private)
  values (message_id, topic, 'broadcast', jsonb_build_object('id', message_id) || payload, event, private);
exception when others then
  raise warning 'ErrorSendingBroadcastMessage: %', sqlerrm;
end
$$;
alter function realtime.send(jsonb, text, text, boolean) owner to supabase_realtime_admin;

comment on function realtime.send(jsonb, text, text, boolean) is 'Sends a broadcast. Never fails: a fault is a WARNING.';
