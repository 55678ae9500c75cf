/** Something happens, again and again; nobody can miss what happens after `next` was called. */
export interface Signal {
  fire(): void;
  next(): Promise<void>;
}

export function createSignal(): Signal {
  let waiting = Promise.withResolvers<void>();
  return {
    fire() {
      waiting.resolve();
      waiting = Promise.withResolvers();
    },
    next: () => waiting.promise,
  };
}
