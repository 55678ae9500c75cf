import { describe, expect, it } from 'vitest';
import { projectRoot } from '../src/local/paths.ts';
import { judge, readAuditPolicy, whyUnanswered, type AuditPolicy } from './audit-policy.ts';

const today = '2026-11-26';
const reason = 'We never call the function that this is about.';
const url = 'https://github.com/advisories/GHSA-aaaa-bbbb-cccc';

function policy(expires?: string): AuditPolicy {
  return { failAt: 'high', allowed: expires === undefined ? [] : [{ advisory: 'GHSA-aaaa-bbbb-cccc', reason, expires }] };
}

/** As npm reports it: once at the package that has it, and by name at each that brings it along. */
function report(severity: string) {
  const advisory = { source: 1, name: 'deep', dependency: 'deep', title: 'Prototype pollution', url, severity, range: '*' };
  return { auditReportVersion: 2, vulnerabilities: { deep: { via: [advisory] }, direct: { via: ['deep'] }, both: { via: [advisory, 'deep'] } } };
}

describe('the audit', () => {
  it.each([
    { what: 'fails at the severity of the policy', severity: 'high', expires: undefined, refused: 1, noted: 0 },
    { what: 'fails above it', severity: 'critical', expires: undefined, refused: 1, noted: 0 },
    { what: 'only notes what is below it', severity: 'moderate', expires: undefined, refused: 0, noted: 1 },
    { what: 'only notes what is allowed, on the last day too', severity: 'critical', expires: today, refused: 0, noted: 1 },
    { what: 'fails where the permission has expired', severity: 'high', expires: '2026-11-25', refused: 1, noted: 0 },
  ])('$what', ({ severity, expires, refused, noted }) => {
    const verdict = judge(report(severity), policy(expires), today)!;
    expect([verdict.refused.length, verdict.noted.length]).toEqual([refused, noted]);
    expect([...verdict.refused, ...verdict.noted][0]).toContain(`deep: Prototype pollution (${url})`);
  });

  it('has a policy that can be read', () => {
    expect(readAuditPolicy(projectRoot).failAt).toBe('high');
  });

  it.each([
    { answer: { message: '405 Method Not Allowed', statusCode: 405 }, unanswered: true },
    { answer: { message: '503 Service Unavailable', statusCode: 503 }, unanswered: true },
    { answer: { message: 'connect ECONNREFUSED 127.0.0.1:1' }, unanswered: true },
    { answer: { message: '401 Unauthorized', statusCode: 401 }, unanswered: false },
    { answer: { message: 'minTimeout is greater than maxTimeout' }, unanswered: false },
    { answer: { error: { code: 'ENOLOCK' } }, unanswered: false },
    { answer: undefined, unanswered: false },
  ])('takes for a registry that does not answer only what is one: $answer', ({ answer, unanswered }) => {
    expect(judge(answer, policy(), today)).toBeUndefined();
    expect(whyUnanswered(answer) !== undefined).toBe(unanswered);
  });
});
