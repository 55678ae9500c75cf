/**
 * `npm run audit`: known vulnerabilities of what runs in production, by the policy in `.ci/audit-policy.json`. If the registry
 * cannot be reached, or has no such service, it says so and fails nothing: a build must not depend on a network.
 */
import { spawnSync } from 'node:child_process';
import { projectRoot } from '../src/local/paths.ts';
import { judge, readAuditPolicy, whyUnanswered } from './audit-policy.ts';

const policy = readAuditPolicy(projectRoot);
const args = ['audit', '--omit=dev', '--json', '--fetch-retries=0', '--fetch-timeout=20000'];
const { stdout, stderr, error } = spawnSync('npm', args, {
  cwd: projectRoot,
  encoding: 'utf8',
  shell: process.platform === 'win32', // npm is a .cmd file there
});
if (error !== undefined) throw error;
const answer = parse(stdout);
const verdict = judge(answer, policy, new Date().toISOString().slice(0, 10));
const unanswered = whyUnanswered(answer);

if (verdict !== undefined) {
  for (const line of verdict.noted) console.log(line);
  for (const line of verdict.refused) console.error(line);
  const passes = verdict.refused.length === 0;
  const remedy = 'Update these, or allow them in .ci/audit-policy.json.';
  console.log(passes ? `Nothing of severity ${policy.failAt} or above is open.` : remedy);
  process.exitCode = passes ? 0 : 1;
} else if (unanswered !== undefined) {
  console.log(`NOT AUDITED, because the registry gave no answer: ${unanswered}`);
} else {
  console.error(`npm audit failed:\n${stdout}${stderr}`);
  process.exitCode = 1;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
