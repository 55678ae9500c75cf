/** Patterns that the messages of several slices share. Anchored, and read alike by PostgreSQL and JavaScript. */
export const uuidPattern = '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$';
