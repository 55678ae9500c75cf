-- Policies on realtime.messages ask this for the channel that is being joined or sent to.

create function realtime.topic() returns text
language sql stable
return nullif(current_setting('realtime.topic', true), '');
alter function realtime.topic() owner to supabase_realtime_admin;

comment on function realtime.topic() is 'The topic of the channel that is being joined or sent to; null outside of one.';
