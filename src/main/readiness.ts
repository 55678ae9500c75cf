/** Whoever asks has a time-out of a few seconds of its own. */
const longestProbeMs = 2_000;

/** Resolves where what it asks for is there; may throw or take for ever where it is not. */
export type Probe = () => Promise<unknown>;

/** Of what is waited for: it is lacking until `need` is told how to ask for it. */
export const neverYet: Probe = () => Promise.reject(new Error('There has been no connection yet.'));

export interface Readiness {
  /** From now on this is needed; a later probe of the same name takes the place of the first. */
  need(name: string, probe: Probe): void;
  /** The process does its work now. */
  ready(waiting: readonly string[]): void;
  /** It does no longer. */
  stopping(): void;
  /**
   * `lacks`: why it is not ready. `waiting`: what it has no means for, each with the reason; it waits for another process or
   * setting, and nothing is lost.
   */
  check(): Promise<{ readonly lacks: readonly string[]; readonly waiting: readonly string[] }>;
}

export function createReadiness(): Readiness {
  const probes = new Map<string, Probe>();
  let phase: 'starting' | 'working' | 'stopping' = 'starting';
  let waiting: readonly string[] = [];

  return {
    need: (name, probe) => void probes.set(name, probe),
    ready(waitingFromNow) {
      phase = 'working';
      waiting = waitingFromNow;
    },
    stopping() {
      phase = 'stopping';
    },
    async check() {
      if (phase === 'stopping') return { lacks: ['it shuts down'], waiting };
      const answers = await Promise.all([...probes].map(async ([name, probe]) => ((await isThere(probe)) ? [] : [name])));
      const lacks = answers.flat();
      return { lacks: phase === 'starting' && lacks.length === 0 ? ['it starts'] : lacks, waiting };
    },
  };
}

async function isThere(probe: Probe): Promise<boolean> {
  const tooLate = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => tooLate.resolve(false), longestProbeMs);
  try {
    return await Promise.race([probe().then(() => true, () => false), tooLate.promise]);
  } finally {
    clearTimeout(timer);
  }
}
