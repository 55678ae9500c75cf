import { isDeepStrictEqual } from 'node:util';
import type { Evidence, Submission } from './evidence.ts';
import { settledStatuses } from './evidence.ts';
import { commandKey } from './group.ts';
import { type Violation, violation } from './violation.ts';

/** A: every acknowledged command ends with exactly one outcome. */
export function checkOutcomes({ submissions, commands }: Evidence): Violation[] {
  const rows = new Map(commands.map((row) => [commandKey(row), row]));

  return submissions.filter(isAcknowledged).flatMap((submission) => {
    const row = rows.get(commandKey(submission));
    const id = `${commandKey(submission)} of ${submission.client}`;
    if (row === undefined) return [violation('A', 'acknowledged command without a row', id)];
    if (!settledStatuses.includes(row.status)) {
      return row.isDue ? [violation('A', 'acknowledged command without an outcome', `${id} is ${row.status}`)] : [];
    }
    const { status, outcome } = row;
    const others = outcomesSeen(submission).filter((seen) => !isDeepStrictEqual(seen, { status, outcome }));
    return others.map((seen) => violation('A', 'two outcomes', `${id}: its client was told ${JSON.stringify(seen)}, the row says ${status}`));
  });
}

function isAcknowledged({ answers }: Submission): boolean {
  return answers.some(({ kind }) => kind === 'accepted');
}

function outcomesSeen({ answers }: Submission) {
  return answers.flatMap((answer) =>
    answer.kind === 'accepted' && settledStatuses.includes(answer.status) ? [{ status: answer.status, outcome: answer.outcome }] : [],
  );
}
