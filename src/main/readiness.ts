/** Anyone who asks has a time-out of a few seconds of its own. */
const longestProbeMs = 2_000;
/** What waits is tried again at least once a minute. */
const noteLastsMs = 180_000;
const maxNotes = 20;

/** Resolves if what it asks for is there; may throw or take for ever if it is not. What a `Lack` says is told, too. */
export type Probe = () => Promise<unknown>;

/** What is amiss, though the work goes on; undefined: nothing. May throw if it cannot be asked. */
export type Question = () => Promise<string | undefined>;

/** It is there, and not as it must be: what is wrong and what to do, without a secret, since it stands in `/readyz`. */
export class Lack extends Error {}

/** Of what is waited for: it is lacking until `need` is told how to ask for it. */
export const neverYet: Probe = () => Promise.reject(new Error('There has been no connection yet.'));

export interface Readiness {
  /** From now on this is needed; a later probe of the same name takes the place of the first. */
  need(name: string, probe: Probe): void;
  /** Asked each time: what it answers waits, too. If it cannot be asked, `need` has something to say. */
  ask(name: string, question: Question): void;
  /** The process does its work now. */
  ready(waiting: readonly string[]): void;
  /** Something waits now, as long as this is said again and again: for a newer release, say. */
  noteWaiting(why: string): void;
  /** It does no longer. */
  stopping(): void;
  /**
   * `lacks`: why it is not ready. `waiting`: what it has no means for, each with the reason; it waits for another process,
   * release or setting, and nothing is lost.
   */
  check(): Promise<{ readonly lacks: readonly string[]; readonly waiting: readonly string[] }>;
}

export function createReadiness(): Readiness {
  const probes = new Map<string, Probe>();
  const questions = new Map<string, Question>();
  let phase: 'starting' | 'working' | 'stopping' = 'starting';
  let waiting: readonly string[] = [];
  const notes = new Map<string, number>();

  function everythingWaiting(): readonly string[] {
    for (const [why, at] of notes) if (performance.now() - at > noteLastsMs) notes.delete(why);
    return [...waiting, ...notes.keys()];
  }

  return {
    need: (name, probe) => void probes.set(name, probe),
    ask: (name, question) => void questions.set(name, question),
    ready(waitingFromNow) {
      phase = 'working';
      waiting = waitingFromNow;
    },
    noteWaiting(why) {
      // Of many reasons some are enough.
      if (notes.has(why) || notes.size < maxNotes) notes.set(why, performance.now());
    },
    stopping() {
      phase = 'stopping';
    },
    async check() {
      if (phase === 'stopping') return { lacks: ['it shuts down'], waiting: everythingWaiting() };
      const [lacking, amiss] = await Promise.all([
        Promise.all([...probes].map(([name, probe]) => lackOf(name, probe))),
        Promise.all([...questions].map(async ([name, question]) => {
          const text = await inTime(question());
          return text === undefined ? [] : [`${name}: ${text}`];
        })),
      ]);
      const lacks = lacking.filter((lack) => lack !== undefined);
      return { lacks: phase === 'starting' && lacks.length === 0 ? ['it starts'] : lacks, waiting: [...everythingWaiting(), ...amiss.flat()] };
    },
  };
}

/** Undefined if it is there. */
async function lackOf(name: string, probe: Probe): Promise<string | undefined> {
  const answer = await inTime<unknown>(probe().then(() => 'there', (error: unknown) => error));
  if (answer === 'there') return undefined;
  return answer instanceof Lack ? `${name}: ${answer.message}` : name;
}

/** Undefined if there was no answer, or none in time. */
async function inTime<Value>(answer: Promise<Value>): Promise<Value | undefined> {
  const tooLate = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => tooLate.resolve(undefined), longestProbeMs);
  try {
    return await Promise.race([answer.catch(() => undefined), tooLate.promise]);
  } finally {
    clearTimeout(timer);
  }
}
