/** A fault of the machine or its set-up that a person can mend: the CLI prints message and remedy, and no stack trace. */
export class StackError extends Error {
  readonly remedy: string;

  constructor(message: string, remedy: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StackError';
    this.remedy = remedy;
  }
}
