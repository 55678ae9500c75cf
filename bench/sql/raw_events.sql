-- What append_events is compared with: the columns, checks and indexes of intent.events, without policies and triggers.
create table bench.raw_events (like intent.events including all);
grant select, insert on bench.raw_events to intent_owner;
