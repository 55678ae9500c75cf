export type Invariant = 'A' | 'B' | 'C' | 'D' | 'E' | 'F' | 'G';

export interface Violation {
  readonly invariant: Invariant;
  /** Which kind of damage. */
  readonly name: string;
  /** To what, and how. */
  readonly detail: string;
}

export function violation(invariant: Invariant, name: string, detail: string): Violation {
  return { invariant, name, detail };
}

export function describeViolation({ invariant, name, detail }: Violation): string {
  return `${invariant}: ${name}: ${detail}`;
}
