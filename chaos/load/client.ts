import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../src/testing/random.ts';
import type { Answer } from '../checker/evidence.ts';
import { answerOfError } from './answer.ts';
import type { LoadCommand } from './commands.ts';
import { uuid } from './commands.ts';
import type { Member } from './member.ts';

const twiceChance = 0.1;
const otherContentChance = 0.05;
const askChance = 0.3;
const longestAskPauseMs = 500;
const retryPauseMs = 100;
/** With the time-outs of an attempt more than a minute, which is longer than any fault. */
const maxAttempts = 100;

export interface LogEntry {
  readonly tenantId: string;
  readonly commandId: string;
  readonly client: string;
  readonly answers: Answer[];
  readonly answersToOthers: Answer[];
}

interface Accepted {
  readonly status: string;
  readonly outcome: unknown;
}

export interface ClientDeps {
  readonly name: string;
  readonly tenantId: string;
  readonly member: Member;
  readonly random: Random;
  /** Where it notes all that it is told. */
  readonly log: LogEntry[];
}

export type Send = (command: LoadCommand) => Promise<void>;

/**
 * Sends a command until it is acknowledged or refused, as a good client does: with the same id. Now and then twice at once, again with
 * other content under the same id, or with a question for the outcome.
 */
export function createClient({ name, tenantId, member, random, log }: ClientDeps): Send {
  async function submit({ commandId, type, aggregateType, aggregateId, payload, expectedVersion }: LoadCommand): Promise<Answer> {
    try {
      const { status, outcome } = await member.call<Accepted>('api.submit_command($1, $2, $3, $4, $5, $6)', [
        commandId,
        type,
        aggregateType,
        aggregateId,
        JSON.stringify(payload),
        expectedVersion,
      ]);
      return { kind: 'accepted', status, outcome };
    } catch (error) {
      return answerOfError(error);
    }
  }

  async function ask({ commandId }: LoadCommand, entry: LogEntry): Promise<void> {
    try {
      const found = await member.call<Accepted | null>('api.get_command($1)', [commandId]);
      if (found !== null) entry.answers.push({ kind: 'accepted', status: found.status, outcome: found.outcome });
    } catch (error) {
      entry.answers.push(answerOfError(error));
    }
  }

  return async (command) => {
    const entry: LogEntry = { tenantId, commandId: command.commandId, client: name, answers: [], answersToOthers: [] };
    log.push(entry);
    for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
      const answers = await Promise.all(random.chance(twiceChance) ? [submit(command), submit(command)] : [submit(command)]);
      entry.answers.push(...answers);
      if (answers.some(({ kind }) => kind !== 'unknown')) break;
      await sleep(retryPauseMs * (1 + random.below(3)));
    }
    if (!entry.answers.some(({ kind }) => kind === 'accepted')) return;
    if (random.chance(otherContentChance)) {
      const other = { ...command, aggregateType: 'order', type: 'CancelOrder', aggregateId: uuid(random), payload: {} } as const;
      entry.answersToOthers.push(await submit(other));
    }
    if (random.chance(askChance)) {
      await sleep(random.below(longestAskPauseMs));
      await ask(command, entry);
    }
  };
}
