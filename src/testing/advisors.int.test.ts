import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { advisorsAreInstalled, askAdvisors, type Finding } from './advisors.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { needs } from './needs.ts';
import { queryOnce } from './query-once.ts';

console.log(`Supabase's advisors: ${advisorsAreInstalled ? 'asked' : 'not asked, their CLI is not installed'}`);

describe("Supabase's advisors", needs(advisorsAreInstalled, "Supabase's CLI is not installed"), () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  test('warn of nothing but a search_path that is not pinned, in functions that the planner inlines (ADR 2)', async () => {
    // Anyone who calls such a function has no more rights in it than before; from a function that has, it inherits a pinned path.
    // An aggregate takes no settings: its transition function does.
    const exempt = await queryOnce(
      database.adminUrl,
      `select pronamespace::regnamespace::text as schema, proname as name from pg_proc
       where (prolang = (select oid from pg_language where lanname = 'sql') and not prosecdef) or prokind = 'a'`,
    );
    const isExempt = ({ name, metadata }: Finding) =>
      name === 'function_search_path_mutable' &&
      exempt.some((one) => one['schema'] === metadata.schema && one['name'] === metadata.name);
    const findings = await askAdvisors(database.adminUrl);
    expect(findings.filter((finding) => !isExempt(finding))).toEqual([]);
  });

  test('see a table without row-level security, a view that overreaches, and a function that does not pin its search_path', async () => {
    await queryOnce(
      database.adminUrl,
      `create table api.unguarded (tenant_id uuid);
       create view api.overreaching as select * from intent.events;
       grant select on api.unguarded, api.overreaching to authenticated;
       create function intent.unpinned() returns uuid language plpgsql security definer as 'begin return null; end'`,
    );
    const findings = await askAdvisors(database.adminUrl);
    expect(findings.map(({ name, metadata }) => `${name}: ${metadata.schema}.${metadata.name}`)).toEqual(
      expect.arrayContaining([
        'rls_disabled_in_public: api.unguarded',
        'security_definer_view: api.overreaching',
        'function_search_path_mutable: intent.unpinned',
      ]),
    );
  });
});
