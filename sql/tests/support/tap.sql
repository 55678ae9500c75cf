-- What every test begins with, after `begin;`: pgTAP if the server has it, else a small set of the same functions, so that
-- the tests run on any PostgreSQL. All of it is gone with the test's rollback.
--   psql "$DATABASE_URL" -f sql/tests/append_events.sql
-- The lines with a backslash are psql's; src/testing/run-sql-test.ts follows \ir alone.
\set QUIET 1
\set ON_ERROR_STOP true
\pset format unaligned
\pset tuples_only true
\pset pager off
\set ECHO none

set local client_min_messages = warning;
create schema tap;
grant usage on schema tap to public;

create function tap.plan(tests integer) returns text language plpgsql as $$
begin
  perform set_config('tap.planned', tests::text, true), set_config('tap.run', '0', true), set_config('tap.failed', '0', true);
  return '1..' || tests;
end
$$;

-- One line of TAP for one test, with its diagnostics if it failed.
create function tap.report(passed boolean, description text, diagnostics text) returns text language plpgsql as $$
declare
  run integer := current_setting('tap.run')::integer + 1;
begin
  perform set_config('tap.run', run::text, true);
  if passed then
    return format('ok %s - %s', run, description);
  end if;
  perform set_config('tap.failed', (current_setting('tap.failed')::integer + 1)::text, true);
  return format(E'not ok %s - %s\n%s', run, description, regexp_replace(diagnostics, '^', '#     ', 'gn'));
end
$$;

create function tap.ok(passed boolean, description text) returns text language sql as $$
  select tap.report(coalesce(passed, false), description, 'not true, but ' || coalesce(passed::text, 'null'));
$$;

create function tap.is(have anyelement, want anyelement, description text) returns text language sql as $$
  select tap.report(have is not distinct from want, description,
    format(E'have: %s\nwant: %s', coalesce(have::text, 'null'), coalesce(want::text, 'null')));
$$;

create function tap.isnt(have anyelement, unwanted anyelement, description text) returns text language sql as $$
  select tap.report(have is distinct from unwanted, description, 'have: ' || coalesce(have::text, 'null'));
$$;

create function tap.lives_ok(statement text, description text) returns text language plpgsql as $$
begin
  execute statement;
  return tap.report(true, description, null);
exception when others then
  return tap.report(false, description, format('died: %s: %s', sqlstate, sqlerrm));
end
$$;

-- A code or a message that is null may be anything.
create function tap.throws_ok(statement text, code char(5), message text, description text) returns text language plpgsql as $$
begin
  execute statement;
  return tap.report(false, description, format('nothing was thrown; want: %s: %s', code, message));
exception when others then
  return tap.report((code is null or code = sqlstate) and (message is null or message = sqlerrm), description,
    format(E'caught: %s: %s\nwant: %s: %s', sqlstate, sqlerrm, code, message));
end
$$;

-- Rows are the same whatever the collations of their columns are, by which PostgreSQL cannot compare a key with a literal in a row.
create function tap.differ(have record, want record) returns boolean language plpgsql as $$
begin
  return have is distinct from want;
exception when indeterminate_collation then
  return have::text is distinct from want::text;
end
$$;

create function tap.results_eq(have refcursor, want refcursor, description text) returns text language plpgsql as $$
declare
  actual record;
  expected record;
  is_last boolean;
  row_number integer := 0;
begin
  loop
    row_number := row_number + 1;
    fetch have into actual;
    is_last := not found;
    fetch want into expected;
    if is_last and not found then
      return tap.report(true, description, null);
    elsif is_last or not found or tap.differ(actual, expected) then
      return tap.report(false, description, format(E'row %s\nhave: %s\nwant: %s', row_number, actual, expected));
    end if;
  end loop;
exception when datatype_mismatch then
  return tap.report(false, description, 'the columns differ in number or type');
end
$$;

create function tap.results_eq(have text, want text, description text) returns text language plpgsql as $$
declare
  actual refcursor;
  expected refcursor;
  result text;
begin
  open actual for execute have;
  open expected for execute want;
  result := tap.results_eq(actual, expected, description);
  close actual;
  close expected;
  return result;
end
$$;

create function tap.is_empty(query text, description text) returns text language plpgsql as $$
declare
  first_row record;
  rows integer;
begin
  execute query into first_row;
  get diagnostics rows = row_count;
  return tap.report(rows = 0, description, format('a row is there: %s', first_row));
end
$$;

create function tap.finish() returns setof text language plpgsql as $$
declare
  planned integer := current_setting('tap.planned');
  run integer := current_setting('tap.run');
  failed integer := current_setting('tap.failed');
begin
  if run <> planned then
    return next format('# Looks like you planned %s tests but ran %s', planned, run);
  end if;
  if failed > 0 then
    return next format('# Looks like you failed %s tests of %s', failed, run);
  end if;
end
$$;

do $$
begin
  if exists (select from pg_available_extensions where name = 'pgtap') then
    create extension if not exists pgtap;
    drop schema tap cascade;
    perform set_config('search_path', (select extnamespace::regnamespace::text from pg_extension where extname = 'pgtap'), true);
  else
    perform set_config('search_path', 'tap', true);
  end if;
end
$$;
