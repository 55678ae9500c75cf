/** A refusal of the domain: a value with a literal code, never thrown, never retried. */
export interface Rejection<Code extends string = string> {
  readonly code: Code;
  /** What is wrong and what would be accepted, for a person. */
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

export type Result<Value, Refusal> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly rejection: Refusal };

export function accept<Value>(value: Value): { readonly ok: true; readonly value: Value } {
  return { ok: true, value };
}

export function reject<Code extends string>(
  code: Code,
  message: string,
  details?: Readonly<Record<string, unknown>>,
): { readonly ok: false; readonly rejection: Rejection<Code> } {
  return { ok: false, rejection: details === undefined ? { code, message } : { code, message, details } };
}
