import type { ClientBase, Pool } from 'pg';

export interface Append {
  readonly aggregateType?: string;
  readonly aggregateId: string;
  /** Null: any. */
  readonly expectedVersion: number | null;
  /** Events of the domain, which get schemaVersion 1, or as `append_events` takes them. */
  readonly events: readonly unknown[];
  readonly commandId?: string;
}

export interface AppendAnswer {
  readonly firstVersion: number;
  readonly lastVersion: number;
  readonly firstPosition: number;
  readonly lastPosition: number;
  readonly duplicate: boolean;
}

interface AppendRow {
  readonly first_version: string;
  readonly last_version: string;
  readonly first_position: string;
  readonly last_position: string;
  readonly duplicate: boolean;
}

/** A fact that no read model knows. */
export const noted = (note: unknown = 'x') => ({ type: 'Noted', schemaVersion: 1, payload: { note } });

/** `intent.append_events`, on a connection as the worker. */
export async function append(worker: Pool | ClientBase, tenantId: string, what: Append): Promise<AppendAnswer> {
  const { aggregateType = 'note', aggregateId, expectedVersion, events, commandId = null } = what;
  const { rows } = await worker.query<AppendRow>('select * from intent.append_events($1, $2, $3, $4, $5, $6)', [
    tenantId, aggregateType, aggregateId, expectedVersion, JSON.stringify(events.map(withSchemaVersion)), commandId,
  ]);
  return toAnswer(rows[0]!);
}

function withSchemaVersion(event: unknown): unknown {
  return typeof event === 'object' && event !== null ? { schemaVersion: 1, ...event } : event;
}

/** The answer, or the code with which our SQL has refused. Any other error is thrown. */
export async function answerOrRefusal<Answer>(answer: Promise<Answer>): Promise<Answer | { code: string }> {
  try {
    return await answer;
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === undefined || !/^IN\d{3}$/.test(code)) throw error;
    return { code };
  }
}

function toAnswer(row: AppendRow): AppendAnswer {
  return {
    firstVersion: Number(row.first_version),
    lastVersion: Number(row.last_version),
    firstPosition: Number(row.first_position),
    lastPosition: Number(row.last_position),
    duplicate: row.duplicate,
  };
}

/** The streams that are not numbered 1..n and the tenants whose positions are not 1..m: none, whatever has happened. */
export async function misnumbered(admin: Pool | ClientBase): Promise<string[]> {
  const { rows } = await admin.query<{ what: string }>(`
    select format('stream %s/%s/%s', tenant_id, aggregate_type, aggregate_id) as what
    from intent.events group by tenant_id, aggregate_type, aggregate_id
    having (min(version), max(version), count(distinct version)) <> (1, count(*), count(*))
    union all
    select format('tenant %s', tenant_id)
    from intent.events group by tenant_id
    having (min(position), max(position), count(distinct position)) <> (1, count(*), count(*))`);
  return rows.map(({ what }) => what);
}
