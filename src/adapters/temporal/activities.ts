import { ApplicationFailure, Context } from '@temporalio/activity';
import type { AdvanceProcess, ProcessProgress } from '../../application/advance-process.ts';
import type { HandleCommand } from '../../application/handle-command.ts';
import type { MakeCall } from '../../application/make-call.ts';
import type { CommandReference } from '../../ports/command-queue.ts';
import type { CommandStatus, CommandStore } from '../../ports/command-store.ts';
import { CommandSettled, FoldUnfinished, isPassing, ReleaseOutdated, SchemaUnfit, StoreUnavailable } from '../../ports/errors.ts';
import type { Logger } from '../../ports/logger.ts';
import type { ProcessReference, ProcessStore } from '../../ports/process-store.ts';
import type { ScheduleReference, ScheduleStore } from '../../ports/schedules.ts';

/** With the pauses of the workflow's retry policy: a good minute, and what the attempts themselves take. */
const defaultCallAttempts = 8;
const heartbeatIntervalMs = 1_000;
const foldPauseMs = 100;

export interface ActivitiesDeps {
  readonly handleCommand: HandleCommand;
  readonly store: CommandStore;
  readonly advanceProcess: AdvanceProcess;
  readonly makeCall: MakeCall;
  readonly processStore: ProcessStore;
  readonly schedules: Pick<ScheduleStore, 'submit'>;
  readonly log: Logger;
  /** An outside call that has not been answered by then has failed for good. (Default: 8) */
  readonly callAttempts?: number;
}

export type Activities = ReturnType<typeof createActivities>;

interface ErrorInWords {
  readonly name: string;
  readonly message: string;
}

/**
 * What workflows do to the world. Arguments and results are ids, words and times only: no payload enters Temporal's history.
 * A fault that passes is thrown as it is, and retried; any other is not.
 */
export function createActivities(deps: ActivitiesDeps) {
  const { handleCommand, store, advanceProcess, makeCall, processStore, schedules, log, callAttempts = defaultCallAttempts } = deps;
  return {
    /** Loads, decides, appends and settles. */
    executeCommand: (command: CommandReference): Promise<CommandStatus> => retryable(() => handleCommand(command), isWaitedForElsewhere),

    /** Dead-letters the command, unless it has ended after all. */
    async deadLetterCommand(command: CommandReference, error: ErrorInWords): Promise<void> {
      log.error({ ...command, error }, 'A command is dead-lettered');
      try {
        await store.fail(command, error);
      } catch (failure) {
        if (failure instanceof CommandSettled) return;
        throw failure;
      }
    },

    /** Takes one step. */
    advanceProcess: (process: ProcessReference): Promise<ProcessProgress> => retryable(() => advanceProcess(process)),

    /** One attempt of an outside call, with its answer stored. After the last one the failure is the answer. */
    async makeCall(process: ProcessReference, callId: string): Promise<void> {
      const { info, cancellationSignal, heartbeat } = Context.current();
      const beating = setInterval(heartbeat, heartbeatIntervalMs);
      try {
        await makeCall.attempt(process, callId, cancellationSignal);
      } catch (error) {
        // The answer may be there already and wait for the store; and a worker that shuts down leaves the call to the next one.
        if (error instanceof StoreUnavailable || cancellationSignal.aborted) throw error;
        if (isPassing(error) && info.attempt < callAttempts) throw error;
        await makeCall.giveUp(process, callId, error instanceof Error ? error : new Error(String(error)));
      } finally {
        clearInterval(beating);
      }
    },

    cancelProcess: (process: ProcessReference): Promise<void> => processStore.cancel(process),

    failProcess: (process: ProcessReference, error: ErrorInWords): Promise<void> => processStore.fail(process, error),

    /** The occasion is an ISO 8601 time. Whatever it fails for, it is tried again: an occasion that nobody has sent must not be lost. */
    async submitScheduledCommand(schedule: ScheduleReference, occasion: string): Promise<void> {
      try {
        await schedules.submit(schedule, new Date(occasion));
      } catch (error) {
        if (!isPassing(error)) log.error({ ...schedule, occasion, err: error }, "A schedule's occasion cannot be sent, and is tried again");
        throw error;
      }
    },
  };
}

/** The workflow itself waits for a newer release or schema: while an activity's retries go on, the worker's answers fill the history. */
const isWaitedForElsewhere = (error: unknown) => error instanceof ReleaseOutdated || error instanceof SchemaUnfit;

async function retryable<Value>(run: () => Promise<Value>, isFinal: (error: unknown) => boolean = () => false): Promise<Value> {
  try {
    return await run();
  } catch (error) {
    // What is folded so far is kept: the next attempt comes further, so that its pause need not grow.
    if (error instanceof FoldUnfinished) throw ApplicationFailure.fromError(error, { nextRetryDelay: foldPauseMs });
    if (isPassing(error) && !isFinal(error)) throw error;
    throw ApplicationFailure.fromError(error, { nonRetryable: true });
  }
}
