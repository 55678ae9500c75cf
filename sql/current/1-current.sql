-- What append_events and its kin answer with, before each gives it its own shape.
set local role intent_owner;
do $$
begin
  if to_regtype('intent.append_result') is null then
    create type intent.append_result as (
      first_version bigint, last_version bigint, first_position bigint, last_position bigint, duplicate boolean, conflicting_version bigint
    );
    comment on type intent.append_result is 'Where an append has put its events; or the version that conflicts with the expected one.';
  end if;
end
$$;
-- Its work is done by try_append.
drop function if exists intent.explain_refusal(uuid, text, text, bigint, jsonb);
reset role;

--!include behaviour.sql
