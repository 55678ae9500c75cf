import type pg from 'pg';

/** As in the middle of a deploy, the functions with these names are not there, until what is returned is called. */
export async function renameAway(admin: pg.Pool, names: readonly string[], schema: 'intent' | 'api' = 'intent'): Promise<() => Promise<void>> {
  const { rows } = await admin.query<{ away: string; back: string }>(
    `select format('alter function %1$I.%2$I(%3$s) rename to %4$I', $2::text, proname, arguments, away) as away,
            format('alter function %1$I.%4$I(%3$s) rename to %2$I', $2::text, proname, arguments, away) as back
     from pg_proc, pg_get_function_identity_arguments(oid) as arguments, concat(proname, '_of_another_release') as away
     where pronamespace = to_regnamespace($2::text) and proname = any($1)`,
    [names, schema],
  );
  if (rows.length < names.length) throw new Error(`Not all of these are functions: ${names.join(', ')}`);
  // Sent as one, they are one transaction.
  await admin.query(rows.map(({ away }) => away).join('; '));
  return async () => void (await admin.query(rows.map(({ back }) => back).join('; ')));
}
