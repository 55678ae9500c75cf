import type { ProcessManager } from '../domain/kernel/process.ts';
import { ConcurrencyConflict, isPassing, ReleaseOutdated } from '../ports/errors.ts';
import type { Logger } from '../ports/logger.ts';
import type { AdvancedProcess, LoadedProcess, ProcessReference, ProcessStatus, ProcessStore } from '../ports/process-store.ts';
import { nextAdvance } from './process-step.ts';

/** An instance that somebody else advances this often at the same time is left to the engine's slower retries. */
const maxAttempts = 5;

export interface AdvanceProcessDeps {
  readonly store: ProcessStore;
  readonly findProcessManager: (name: string) => ProcessManager | undefined;
  readonly log: Logger;
}

/** What remains to be done for an instance by its engine. */
export interface ProcessProgress {
  readonly status: ProcessStatus;
  /** Until the next timer is due: advance it then. 0 if it is overdue, null if there is none. */
  readonly nextTimerInMs: number | null;
  /** All that are open, to be made. */
  readonly calls: readonly { readonly callId: string; readonly name: string }[];
  /** Reactions wait already: advance it at once. */
  readonly more: boolean;
}

export type AdvanceProcess = (process: ProcessReference) => Promise<ProcessProgress>;

/**
 * Takes one step of an instance: load, react to what waits, store all that follows. Safe to repeat at any point, because the
 * store takes each step once. Throws only what passes; anything else is a bug, which stops the instance as `failed`.
 */
export function createAdvanceProcess({ store, findProcessManager, log }: AdvanceProcessDeps): AdvanceProcess {
  async function advance(reference: ProcessReference): Promise<ProcessProgress> {
    for (let attempts = 1; attempts <= maxAttempts; attempts += 1) {
      const loaded = await store.load(reference);
      if (loaded === null) return ended('done');
      if (loaded.status === 'failed') return ended('failed');
      if (loaded.reactions.length === 0 && loaded.dueTimers.length === 0) return waiting(loaded);
      const advanced = await takeStep(reference, loaded);
      if (advanced !== 'moved_on') return advanced;
    }
    throw new ConcurrencyConflict(`The process ${reference.process} of ${reference.key} has moved on ${maxAttempts} times.`);
  }

  async function takeStep(reference: ProcessReference, loaded: LoadedProcess): Promise<ProcessProgress | 'moved_on'> {
    const { process, key } = reference;
    const manager = findProcessManager(process);
    if (manager === undefined) throw new Error(`No process manager is registered with the name ${process}.`);
    const next = nextAdvance(manager, reference, { ...loaded, state: stateOf(manager, loaded) });
    const advanced = await store.advance(reference, loaded.step, next);
    if (advanced === 'moved_on') return advanced;
    log.debug({ tenantId: reference.tenantId, process, key, step: advanced.step, status: next.status }, 'Advanced');
    return progress(next.status, advanced);
  }

  return async (reference) => {
    try {
      return await advance(reference);
    } catch (error) {
      if (isPassing(error)) throw error;
      const { name, message } = error instanceof Error ? error : new Error(String(error));
      log.error({ ...reference, err: error }, 'A process manager has failed; an operator may retry it after the fix');
      await store.fail(reference, { name, message });
      return ended('failed');
    }
  };
}

function stateOf(manager: ProcessManager, { state, stateVersion }: LoadedProcess): unknown {
  if (stateVersion === null) return manager.initialState;
  if (stateVersion === manager.stateVersion) return state;
  const difference = `A state of ${manager.name} has version ${stateVersion}; this release has version ${manager.stateVersion}`;
  if (stateVersion > manager.stateVersion) throw new ReleaseOutdated(`${difference}.`);
  if (manager.upcast === undefined) throw new Error(`${difference} and no \`upcast\` from it.`);
  return manager.upcast(state, stateVersion);
}

function progress(status: ProcessStatus, { nextTimerInMs, calls, more }: AdvancedProcess): ProcessProgress {
  return { status, nextTimerInMs, calls, more };
}

function waiting({ status, timers, calls, now }: LoadedProcess): ProcessProgress {
  const dueInMs = Object.values(timers).map((dueAt) => Math.max(0, Date.parse(dueAt) - Date.parse(now)));
  return {
    status,
    nextTimerInMs: dueInMs.length === 0 ? null : Math.min(...dueInMs),
    calls: calls.map(({ callId, name }) => ({ callId, name })),
    more: false,
  };
}

function ended(status: 'done' | 'failed'): ProcessProgress {
  return { status, nextTimerInMs: null, calls: [], more: false };
}
