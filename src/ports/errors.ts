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

/** Faults that pass by themselves; everything else is a bug or a broken set-up, and repeating it is no use. */
export function isPassing(error: unknown): boolean {
  return error instanceof StoreUnavailable || error instanceof ConcurrencyConflict;
}
