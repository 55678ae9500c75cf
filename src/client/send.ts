import { FunctionsHttpError, type SupabaseClient } from '@supabase/supabase-js';
import type { CommandResult, CommandToSend } from './commands.ts';
import { CommandError, type ProblemDetails } from './errors.ts';
import { uuidV7 } from './uuid-v7.ts';

const defaultWaitSeconds = 10;
/** What a request may take beyond the wait that it asked for. */
const requestSlackMs = 15_000;
const maxAttempts = 5;
const firstBackoffMs = 200;
const longestBackoffMs = 5_000;

export interface SendOptions {
  /** Seconds to wait for the outcome, 0 to 20. (Default: 10.) */
  readonly wait?: number;
}

export type Send = (command: CommandToSend, options?: SendOptions) => Promise<CommandResult>;

/**
 * Sends commands through the Edge Function. A failed request is repeated with the same command id, a few times and with
 * growing pauses, so that the command takes effect once. A rejection is a result; throws `CommandError` for the rest.
 */
export function createSend(supabase: SupabaseClient): Send {
  return async (command, { wait = defaultWaitSeconds } = {}) => {
    const body = { ...command, commandId: command.commandId ?? uuidV7() };
    for (let attempt = 1; ; attempt += 1) {
      const { data, error } = await invoke(body, wait);
      if (error === null) return data;
      const retryAfterMs = readRetryPause(error, attempt);
      if (retryAfterMs === undefined || attempt === maxAttempts) throw await readError(body.commandId, error);
      // A back-off: there is nothing to await but time.
      await new Promise((resolve) => setTimeout(resolve, retryAfterMs));
    }
  };

  // The library types errors as any.
  function invoke(body: object, waitSeconds: number): Promise<{ data: CommandResult; error: null } | { data: null; error: Error }> {
    return supabase.functions.invoke<CommandResult>('command', {
      body,
      headers: { Prefer: `wait=${waitSeconds}` },
      timeout: waitSeconds * 1000 + requestSlackMs,
    });
  }
}

/** Milliseconds until the next attempt; undefined where the answer would be the same again. */
function readRetryPause(error: unknown, attempt: number): number | undefined {
  const backoffMs = Math.min(firstBackoffMs * 2 ** (attempt - 1), longestBackoffMs) * (0.5 + Math.random() / 2);
  if (!(error instanceof FunctionsHttpError)) return backoffMs;
  const response = error.context as Response;
  if (response.status !== 429 && response.status < 500) return undefined;
  return Math.max(backoffMs, Number(response.headers.get('Retry-After') ?? 0) * 1000);
}

async function readError(commandId: string, cause: Error): Promise<CommandError> {
  return new CommandError(commandId, await readProblem(cause), { cause });
}

/** Nothing where the answer is not the function's own: a gateway in between may have spoken, or the network failed. */
async function readProblem(error: Error): Promise<Partial<ProblemDetails>> {
  if (!(error instanceof FunctionsHttpError)) return {};
  const response = error.context as Response;
  return response.headers.get('Content-Type')?.startsWith('application/problem+json') ? ((await response.json()) as ProblemDetails) : {};
}
