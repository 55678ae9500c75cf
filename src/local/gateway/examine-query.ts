import type { MiddlewareHandler } from 'hono';

/** PostgREST takes time that grows with their square, and before it asks who calls. 250 take a tenth of a second, 4,000 ten. */
const maxListed = 250;
const maxParameters = 250;

/** Of the address, those whose values are lists; `<embedded>.` may stand before each. */
const listParameter = /^(?:.*\.)?(?:select|order|columns|on_conflict|and|or)$/;

/** Refuses a request to PostgREST that names more than anyone needs. Before its body is looked at: see examine-body.ts. */
export const refuseLongLists: MiddlewareHandler = async (context, next) => {
  const message = examineQuery(new URL(context.req.url).searchParams);
  return message === null ? next() : context.json({ message }, 400);
};

/** Why this query goes no further, or null. */
export function examineQuery(query: URLSearchParams): string | null {
  if (query.size > maxParameters) return `The address has more than ${maxParameters} parameters`;
  const listed = [...query].reduce((sum, [name, value]) => (listParameter.test(name) ? sum + countListed(value) : sum), 0);
  return listed > maxListed ? `select, order and the like name more than ${maxListed} things` : null;
}

/** Each comma and each bracket begins another one. */
function countListed(list: string): number {
  return 1 + (list.match(/[,(]/g)?.length ?? 0);
}
