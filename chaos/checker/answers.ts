import type { Evidence, Submission } from './evidence.ts';
import { commandKey } from './group.ts';
import { type Violation, violation } from './violation.ts';

/** G: an error tells "not done" or "unknown"; never is "done" said of what is not, nor "not done" of what is. */
export function checkAnswers({ submissions, commands, events }: Evidence): Violation[] {
  const rows = new Map(commands.map((row) => [commandKey(row), row]));
  const withEvents = new Set(events.map(commandKey));

  return submissions.flatMap((submission): Violation[] => {
    const id = `${commandKey(submission)} of ${submission.client}`;
    const row = rows.get(commandKey(submission));
    const found: Violation[] = [];
    if (wasToldDone(submission) && !(row?.status === 'succeeded' && withEvents.has(commandKey(submission)))) {
      found.push(violation('G', 'done was said of what is not done', id));
    }
    if (wasOnlyRefused(submission) && row !== undefined) {
      found.push(violation('G', 'not done was said of what is done', `${id}: ${JSON.stringify(submission.answers)}`));
    }
    for (const answer of submission.answersToOthers) {
      if (answer.kind === 'accepted') found.push(violation('G', 'a used id was accepted for something else', id));
      if (answer.kind === 'refused' && answer.code !== 'IN409') {
        found.push(violation('G', 'a used id was refused for another reason', `${id}: ${answer.code}`));
      }
    }
    return found;
  });
}

function wasToldDone({ answers }: Submission): boolean {
  return answers.some((answer) => answer.kind === 'accepted' && answer.status === 'succeeded');
}

function wasOnlyRefused({ answers }: Submission): boolean {
  return answers.length > 0 && answers.every(({ kind }) => kind === 'refused');
}
