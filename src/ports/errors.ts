/** The stream keeps moving on while the command is decided: try again when there is less of a crowd. */
export class ConcurrencyConflict extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ConcurrencyConflict';
  }
}

/** The command has already ended otherwise; its outcome stands. */
export class CommandSettled extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CommandSettled';
  }
}

/** The store could not be asked, or gave up for a passing reason: whether the call took effect is unknown. Repeat it. */
export class StoreUnavailable extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StoreUnavailable';
  }
}

/** The store is of an older or a newer release than this one: it waits until one of both is brought up to the other. */
export class SchemaUnfit extends StoreUnavailable {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SchemaUnfit';
  }
}

/** Somebody else's service could not be asked, or gave no answer that can be used: whether the call took effect is unknown. Repeat it. */
export class OutsideUnavailable extends Error {
  /** What an instance is told if the last attempt ends so. */
  readonly code: 'UNAVAILABLE' | 'NONSENSE';

  constructor(message: string, { code = 'UNAVAILABLE', ...options }: ErrorOptions & { readonly code?: 'UNAVAILABLE' | 'NONSENSE' } = {}) {
    super(message, options);
    this.name = 'OutsideUnavailable';
    this.code = code;
  }
}

/** A newer release has stored what this one cannot read: during a deploy, until a newer worker takes it. */
export class ReleaseOutdated extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ReleaseOutdated';
  }
}

/** A stream is longer than one attempt may take; the next one starts further on. */
export class FoldUnfinished extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'FoldUnfinished';
  }
}

const passing = [StoreUnavailable, ConcurrencyConflict, OutsideUnavailable, ReleaseOutdated, FoldUnfinished];

/** Faults that pass by themselves; everything else is a bug or a broken set-up, and repeating it is no use. */
export function isPassing(error: unknown): boolean {
  return passing.some((type) => error instanceof type);
}
