import type { Answer } from '../checker/evidence.ts';

/** By class (the first two characters) of an SQLSTATE: ours, data, constraint, syntax and rights. Only these say that nothing was done. */
const refusingClasses = new Set(['IN', '22', '23', '42']);

/** What a client may believe after an error. */
export function answerOfError(error: unknown): Answer {
  const { code, message } = error as { code?: string; message: string };
  if (code !== undefined && refusingClasses.has(code.slice(0, 2))) return { kind: 'refused', code };
  return { kind: 'unknown', reason: code ?? message };
}
