import { randomUUID } from 'node:crypto';
import { inject } from 'vitest';
import type { LoginRole } from '../local/login-roles.ts';
import { copyDatabase, databaseUrl, dropDatabase } from './template-database.ts';

export interface TestDatabase {
  readonly name: string;
  /** As superuser. */
  readonly adminUrl: string;
  urlFor(role: LoginRole): string;
  /** Ends what is still connected, too. */
  drop(): Promise<void>;
}

/** A migrated database of the test's own, on the real server that `global-setup.ts` started. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const { adminUrl, name: template, rolePassword } = inject('database');
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await copyDatabase(adminUrl, template, name);
  return {
    name,
    adminUrl: databaseUrl(adminUrl, name),
    urlFor: (role) => databaseUrl(adminUrl, name, { user: role, password: rolePassword }),
    drop: () => dropDatabase(adminUrl, name),
  };
}
