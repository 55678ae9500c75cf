import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const severities = ['info', 'low', 'moderate', 'high', 'critical'] as const;

const policySchema = z.strictObject({
  /** An advisory of this severity, or a worse one, fails. */
  failAt: z.enum(severities),
  /** Advisories that are looked at and accepted, each with why, and until when that holds. */
  allowed: z.array(
    z.strictObject({ advisory: z.string().regex(/^GHSA(-[0-9a-z]{4}){3}$/), reason: z.string().min(20), expires: z.iso.date() }),
  ),
});

/** What `npm audit --json` prints, as far as it is used. `via` names another package if that one brings the advisory along. */
const advisorySchema = z.object({ name: z.string(), title: z.string(), url: z.string(), severity: z.enum(severities) });
const reportSchema = z.object({
  vulnerabilities: z.record(z.string(), z.object({ via: z.array(z.union([z.string(), advisorySchema])) })),
});

export type AuditPolicy = z.infer<typeof policySchema>;

export interface Verdict {
  /** Advisories that fail, a line each. */
  readonly refused: string[];
  /** What is known and does not fail, a line each. */
  readonly noted: string[];
}

export function readAuditPolicy(root: string): AuditPolicy {
  return policySchema.parse(JSON.parse(readFileSync(join(root, '.ci', 'audit-policy.json'), 'utf8')));
}

/** Judges npm's report by the policy, on a day as YYYY-MM-DD. `undefined` if what npm printed is no report. */
export function judge(printed: unknown, policy: AuditPolicy, today: string): Verdict | undefined {
  const report = reportSchema.safeParse(printed);
  if (!report.success) return undefined;
  const verdict: Verdict = { refused: [], noted: [] };
  const causes = Object.values(report.data.vulnerabilities).flatMap(({ via }) => via);
  const byUrl = new Map(causes.filter((cause) => typeof cause !== 'string').map((advisory) => [advisory.url, advisory]));

  for (const { name, title, url, severity } of byUrl.values()) {
    const line = `${severity}: ${name}: ${title} (${url})`;
    const exception = policy.allowed.find(({ advisory }) => url.endsWith(`/${advisory}`));
    if (severities.indexOf(severity) < severities.indexOf(policy.failAt)) verdict.noted.push(line);
    else if (exception === undefined) verdict.refused.push(line);
    else if (exception.expires < today) verdict.refused.push(`${line}: was allowed until ${exception.expires}`);
    else verdict.noted.push(`${line}: allowed until ${exception.expires}: ${exception.reason}`);
  }
  return verdict;
}

/** The reason, if npm had nobody to ask: no network, or a registry without advisories. */
export function whyUnanswered(printed: unknown): string | undefined {
  const failure = failureSchema.safeParse(printed);
  if (!failure.success) return undefined;
  const { message, statusCode } = failure.data;
  const isUnanswered = statusCode === undefined ? networkFault.test(message) : [404, 405].includes(statusCode) || statusCode >= 500;
  return isUnanswered ? message : undefined;
}

const failureSchema = z.object({ message: z.string(), statusCode: z.number().optional() });
const networkFault = /\b(ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)\b|network timeout|ERR_SOCKET_TIMEOUT/;
