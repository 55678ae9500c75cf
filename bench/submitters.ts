import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { claimsOf, createTenant } from '../src/testing/tenant.ts';
import type { BenchDatabase } from './database.ts';
import { type LeanConnection, openLeanConnection } from './lean-connection.ts';

/** `api.submit_command` as PostgREST calls it, each connection the owner of a tenant of its own. */
export function openSubmitters({ admin, adminUrl }: BenchDatabase, count: number): Promise<LeanConnection[]> {
  return Promise.all(Array.from({ length: count }, async () => {
    const claims = JSON.stringify(claimsOf(await createTenant(admin), 'owner'));
    const setUp = `set role authenticated; set request.jwt.claims = ${pg.escapeLiteral(claims)}`;
    return openLeanConnection(adminUrl, 'select api.submit_command($1, $2, $3, $4, $5)', setUp);
  }));
}

/** As much of a command as there is to submit. */
export interface Submission {
  readonly type: string;
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly payload: unknown;
}

export function submit(connection: LeanConnection, command: Submission, commandId: string = randomUUID()): Promise<void> {
  const { type, aggregateType, aggregateId, payload } = command;
  return connection.run([commandId, type, aggregateType, aggregateId, JSON.stringify(payload)]);
}
