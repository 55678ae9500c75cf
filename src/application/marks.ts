import type { Clock } from '../ports/clock.ts';
import type { ClaimedCommand, CommandQueue } from '../ports/command-queue.ts';
import type { Logger } from '../ports/logger.ts';

/** Most commands have ended by then, and need no mark. Far below a claim's lease. */
const markAfterMs = 500;

export interface MarksDeps {
  readonly queue: Pick<CommandQueue, 'markDispatched'>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Marks commands whose execution has been started: a while later, and all that have come meanwhile at once. */
export function createMarks({ queue, clock, log }: MarksDeps) {
  const closing = new AbortController();
  let gathered: ClaimedCommand[] = [];
  let marked: Promise<void> = Promise.resolve();
  let stillOpen = 0;

  async function markLater(): Promise<void> {
    await clock.sleep(markAfterMs, closing.signal);
    const commands = gathered;
    gathered = [];
    try {
      stillOpen = await queue.markDispatched(commands);
    } catch (error) {
      log.warn({ err: error, commands: commands.length }, 'Commands could not be marked: when their leases end they are handed over again');
    }
  }

  return {
    add(command: ClaimedCommand): void {
      gathered.push(command);
      // Without the values: each would hold all the earlier ones.
      if (gathered.length === 1) marked = Promise.all([marked, markLater()]).then(() => {});
    },

    /** How many of those that were marked last had not ended by then; none if nothing has been started since. */
    countSlow: (): number => (gathered.length > 0 ? stillOpen : 0),

    /** Marks what there is, and resolves when that is done. */
    async close(): Promise<void> {
      closing.abort();
      await marked;
    },
  };
}
