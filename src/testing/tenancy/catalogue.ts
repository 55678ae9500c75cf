// Parts of the queries to the catalogue.

export const ourSchemas = `('intent'::regnamespace, 'api'::regnamespace)`;

/** Tables, also partitioned ones and partitions. */
export const ourTables = `(select c.* from pg_class as c where c.relnamespace in ${ourSchemas} and c.relkind in ('r', 'p'))`;

/** Those of the tables that hold rows of tenants. */
export const tenantTables = `(select c.* from ${ourTables} as c
  where exists (select from pg_attribute as a where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped))`;

export const ourFunctions = `(select p.* from pg_proc as p where p.pronamespace in ${ourSchemas})`;

/** Whether an array of column numbers of a table has its tenant_id. */
export function hasTenant(columns: string, table: string): string {
  return `(select a.attnum from pg_attribute as a where a.attrelid = ${table} and a.attname = 'tenant_id') = any (${columns})`;
}
