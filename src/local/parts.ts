import { isFree } from './ports.ts';
import { exitError } from './process/start-process.ts';
import type { ProcessExit } from './process/start-process.ts';
import type { StackError } from './stack-error.ts';

/** A part that has not come up, and somebody else listens on its port. `cause`: what the part said. */
export class PortTaken extends Error {
  constructor(cause: Error) {
    super(cause.message, { cause });
  }
}

/** What every `startX` returns. */
export interface Part {
  /** If the part is a process that must not end by itself. */
  readonly exited?: Promise<ProcessExit>;
  stop(): Promise<void>;
}

export interface Start<P extends Part> {
  readonly name: string;
  /** On 127.0.0.1. */
  readonly ports: readonly number[];
  readonly start: (tell: (detail: string) => void) => Promise<P>;
  readonly where: (part: P) => string;
}

export interface Parts {
  /**
   * Starts a part, prints a line with what, where and how long it took, and remembers it for `stop`. What takes long may tell meanwhile
   * what it is at. Throws `PortTaken` if it fails and one of the ports that it was to listen on is somebody else's.
   */
  start<P extends Part>(part: Start<P>): Promise<P>;
  /** Resolves when no start is under way. */
  settled(): Promise<void>;
  /** Resolves when a part has ended by itself. */
  readonly failed: Promise<StackError>;
  /** In the reverse order of their readiness, so that no part loses what it stands on. Idempotent. */
  stop(): Promise<void>;
}

/** The running parts of one stack. `wait` is told in words what is being started, and an empty text when nothing is. */
export function createParts(log: (line: string) => void, wait: (what: string) => void = () => {}): Parts {
  const starting = new Map<string, string>();
  const starts: Promise<unknown>[] = [];
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

  async function startPart<P extends Part>({ name, ports, start, where }: Start<P>): Promise<P> {
    const beganAt = performance.now();
    const tell = (detail: string) => {
      starting.set(name, detail);
      sayWhatStarts();
    };
    tell('');
    const part = await start(tell)
      .catch(async (error: Error) => {
        const free = await Promise.all(ports.map(isFree));
        throw free.includes(false) ? new PortTaken(error) : error;
      })
      .finally(() => {
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
  }

  return {
    failed: failed.promise,
    start(part) {
      const start = startPart(part);
      starts.push(start);
      return start;
    },
    async settled() {
      await Promise.allSettled(starts);
    },
    stop: () => (stopping ??= stopAll()),
  };
}
