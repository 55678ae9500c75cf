import { exitError } from './process/start-process.ts';
import type { ProcessExit } from './process/start-process.ts';
import type { StackError } from './stack-error.ts';

/** What every `startX` answers. */
export interface Part {
  /** Where the part is a process that must not end by itself. */
  readonly exited?: Promise<ProcessExit>;
  stop(): Promise<void>;
}

export interface Parts {
  /**
   * Starts a part, prints a line with what, where and how long it took, and remembers it for `stop`. What takes long may tell meanwhile
   * what it is at.
   */
  start<P extends Part>(name: string, start: (tell: (detail: string) => void) => Promise<P>, where: (part: P) => string): Promise<P>;
  /** Resolves when a part has ended by itself. */
  readonly failed: Promise<StackError>;
  /** In the reverse order of their readiness, so that no part loses what it stands on. Idempotent. */
  stop(): Promise<void>;
}

/** The running parts of one stack. `wait` is told in words what is being started, and an empty text when nothing is. */
export function createParts(log: (line: string) => void, wait: (what: string) => void = () => {}): Parts {
  const starting = new Map<string, string>();
  const running: { name: string; part: Part }[] = [];
  const failed = Promise.withResolvers<StackError>();
  let stopping: Promise<void> | undefined;

  function sayWhatStarts(): void {
    if (stopping === undefined) wait([...starting].map(([name, at]) => (at === '' ? name : `${name} (${at})`)).join(', '));
  }

  async function stopAll(): Promise<void> {
    wait('');
    for (let last = running.pop(); last !== undefined; last = running.pop()) {
      const { name, part } = last;
      await part.stop().catch((error: Error) => log(`${name} did not stop as it should: ${error.message}`));
    }
  }

  return {
    failed: failed.promise,
    async start(name, start, where) {
      const beganAt = performance.now();
      const tell = (detail: string) => {
        starting.set(name, detail);
        sayWhatStarts();
      };
      tell('');
      const part = await start(tell).finally(() => {
        starting.delete(name);
        sayWhatStarts();
      });
      if (stopping !== undefined) {
        await part.stop();
        throw new Error('The stack was stopped while it started.');
      }
      running.push({ name, part });
      void part.exited?.then((exit) => {
        if (!exit.expected) failed.resolve(exitError(exit));
      });
      const tookMs = Math.round(performance.now() - beganAt);
      log(`  ${name.padEnd(16)} ${where(part).padEnd(44)} ${String(tookMs).padStart(6)} ms`);
      return part;
    },
    stop: () => (stopping ??= stopAll()),
  };
}
