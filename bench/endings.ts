import { randomUUID } from 'node:crypto';

const patienceMs = 30_000;

/** Who has begun something waits here for its end, which another part of this process tells. */
export function createEndings() {
  const waiting = new Map<string, () => void>();
  return {
    /** Begins it under a new id and resolves when that has ended. Throws if it takes too long. */
    async waitFor(begin: (id: string) => Promise<unknown>): Promise<void> {
      const id = randomUUID();
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      waiting.set(id, resolve);
      const timer = setTimeout(() => reject(new Error(`${id} has not ended within ${patienceMs} ms.`)), patienceMs);
      try {
        await Promise.all([begin(id), promise]);
      } finally {
        clearTimeout(timer);
        waiting.delete(id);
      }
    },
    tell: (id: string): void => waiting.get(id)?.(),
  };
}
