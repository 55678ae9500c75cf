import { traceIdOf } from '../ports/trace-context.ts';

/** Commands and process managers whose trace is remembered: more than a process has in hand. */
const maxRemembered = 10_000;

/** Which trace the lines about a command belong to, for as long as this process has to do with it. */
export interface TraceIds {
  /** `id`: of a command, or the key of an instance of a process manager. */
  note(id: string, traceparent: string | null): void;
  /** What is to be added to a log line with these fields. */
  fieldsFor(line: object): { readonly traceId?: string };
}

export function createTraceIds(): TraceIds {
  // In the order of noting: the first one goes first.
  const remembered = new Map<string, string>();
  return {
    note(id, traceparent) {
      const traceId = traceIdOf(traceparent);
      if (traceId === undefined) return;
      remembered.delete(id);
      remembered.set(id, traceId);
      for (const oldest of remembered.keys()) {
        if (remembered.size <= maxRemembered) break;
        remembered.delete(oldest);
      }
    },

    fieldsFor(line) {
      const { commandId, key } = line as { readonly commandId?: unknown; readonly key?: unknown };
      const id = commandId ?? key;
      const traceId = typeof id === 'string' ? remembered.get(id) : undefined;
      return traceId === undefined ? {} : { traceId };
    },
  };
}
