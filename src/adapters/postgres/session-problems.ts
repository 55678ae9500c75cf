import type { Pool } from 'pg';

/** What these adapters call, with the number of arguments: a schema that has them is as old or new as this release needs. A test compares. */
export const calledFunctions = {
  intent_pump: {
    announce_withheld_hints: 0,
    claim_commands: 3,
    claim_processes: 3,
    hint_fault: 0,
    take_wait_slot: 0,
    mark_dispatched: 3,
    open_commands: 2,
    queue_figures: 0,
    release_command: 3,
    release_process: 3,
  },
  intent_worker: {
    acknowledge_feed: 4,
    advance_process: 5,
    answer_call: 5,
    append_or_catch_up: 7,
    cancel_process: 3,
    claim_feed: 3,
    dedicated_tenants: 0,
    fail_command: 3,
    fail_process: 4,
    hint_fault: 0,
    list_schedules: 0,
    load_batch: 4,
    load_call: 4,
    load_command: 4,
    load_events: 5,
    load_process: 3,
    pause_schedule: 3,
    reject_command: 5,
    save_snapshot: 6,
    settle_batch: 2,
    skip_event: 5,
    submit_scheduled_command: 3,
  },
} as const;

interface SessionRow {
  readonly is_read_only: boolean;
  readonly isolation: string;
  /** Functions that are not there, or may not be called. */
  readonly missing: readonly string[];
}

const look = `
  select current_setting('transaction_read_only')::boolean as is_read_only, current_setting('transaction_isolation') as isolation, array(
    select needed.name
    from unnest($1::text[], $2::integer[]) as needed (name, arguments)
    where not exists (
      select from pg_catalog.pg_proc as p
      where p.pronamespace = to_regnamespace('intent') and p.proname = needed.name
        and needed.arguments between p.pronargs - p.pronargdefaults and p.pronargs
        and has_schema_privilege(p.pronamespace, 'usage') and has_function_privilege(p.oid, 'execute')
    )
  ) as missing`;

/** What keeps a pool's sessions from their work though the server answers, in words, with what to do. Throws if it does not answer. */
export async function problemsOfSession(pool: Pool, role: keyof typeof calledFunctions): Promise<string[]> {
  const { rows } = await pool.query<SessionRow>(look, [Object.keys(calledFunctions[role]), Object.values(calledFunctions[role])]);
  const { is_read_only: isReadOnly, isolation, missing } = rows[0]!;
  return [
    ...(missing.length === 0
      ? []
      : [`its schema is older or newer than this release (${missing.join(', ')}); commands wait: migrate it, or run the release that fits`]),
    ...(isReadOnly ? ['it is read-only, or its transactions are (default_transaction_read_only); commands wait'] : []),
    ...(isolation === 'read committed' ? [] : [`its transactions are ${isolation}; reset default_transaction_isolation: intent doctor says how`]),
  ];
}
