-- Makes the partitions from yesterday to the day after tomorrow, and drops those whose every row is older than 72 hours.
-- Supabase's Realtime does this in its server; here the local gateway calls it when it starts and every hour. Yesterday and two
-- days ahead leave room for sessions of any time zone, as inserted_at has none. Gives up on a lock after two seconds: waiting
-- longer would hold up every sender, and the next hour will do.

create function realtime.keep_message_partitions() returns void
language plpgsql volatile
set lock_timeout = '2s'
as $$
declare
  day date;
  expired text;
begin
  perform pg_advisory_xact_lock(hashtextextended('realtime.keep_message_partitions', 0));

  for offset_days in -1..2 loop
    day := current_date + offset_days;
    if to_regclass(format('realtime.messages_%s', to_char(day, 'YYYY_MM_DD'))) is null then
      execute format(
        'create table realtime.messages_%s partition of realtime.messages for values from (%L) to (%L)',
        to_char(day, 'YYYY_MM_DD'), day, day + 1
      );
    end if;
  end loop;

  for expired in
    select partition.relname
    from pg_inherits
    join pg_class as partition on partition.oid = pg_inherits.inhrelid
    where pg_inherits.inhparent = 'realtime.messages'::regclass
      and partition.relname < 'messages_' || to_char(current_date - 3, 'YYYY_MM_DD')
  loop
    execute format('drop table realtime.%I', expired);
  end loop;
end
$$;
alter function realtime.keep_message_partitions() owner to supabase_realtime_admin;
revoke execute on function realtime.keep_message_partitions() from public;

comment on function realtime.keep_message_partitions() is 'Makes and drops the partitions of realtime.messages, a day each.';

-- As the owner, so that the owner's partitions are the owner's.
set local role supabase_realtime_admin;
select realtime.keep_message_partitions();
reset role;
