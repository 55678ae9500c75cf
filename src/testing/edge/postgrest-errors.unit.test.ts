import { expect, test } from 'vitest';
import { problemOfPostgrest } from '../../../supabase/functions/command/postgrest-errors.ts';

test.for<[string, unknown, string]>([
  ['the seconds of DETAIL', '{"limit":"tenant","retryAfterSeconds":7}', '7'],
  ['a second without DETAIL', null, '1'],
  ['a second where DETAIL is no JSON', 'later', '1'],
  ['a second where DETAIL says none', '{"limit":"user"}', '1'],
  ['a second where DETAIL is no number', '{"retryAfterSeconds":"7\\r\\nSet-Cookie: a=b"}', '1'],
])('IN429 says to wait %s', ([, details, seconds]) => {
  const problem = problemOfPostgrest({ code: 'IN429', message: 'too many', details, hint: null });
  expect([problem.status, problem.headers['Retry-After']]).toEqual([429, seconds]);
});

test.for([
  ['an error of a table', { code: '23505', message: 'duplicate key', details: 'Key (name)=(secret) already exists.' }, 503],
  ['an answer that is none of PostgREST', '<html>', 503],
  ['a missing privilege', { code: '42501', message: 'permission denied for table tenants' }, 503],
  ['a token that only PostgREST refuses', { code: 'PGRST301', message: 'JWT expired' }, 401],
  ['a value out of range', { code: '22008', message: 'date/time field value out of range: "secret"' }, 400],
] as const)('the caller is not told what the database says: %s', ([, body, status]) => {
  const problem = problemOfPostgrest(body);
  expect(problem.status).toBe(status);
  expect(problem.message).not.toMatch(/secret|tenants|duplicate|JWT|html/);
});
