import { FunctionsHttpError, type SupabaseClient } from '@supabase/supabase-js';
import { backOffMs, pause } from './back-off.ts';
import type { CommandResult, CommandToSend, CommandType, RejectionCode, SendOptions } from './commands.ts';
import { CommandError, type ProblemDetails } from './errors.ts';
import { withGoodToken } from './token.ts';
import { uuidV7 } from './uuid-v7.ts';

const defaultWaitSeconds = 10;
/** What a request may take beyond the wait that it asked for. */
const requestSlackMs = 15_000;
const maxAttempts = 5;
const firstBackOffMs = 200;
const longestBackOffMs = 5_000;

export type Send = <Type extends CommandType>(
  type: Type,
  command: CommandToSend<Type>,
  options?: SendOptions,
) => Promise<CommandResult<RejectionCode<Type>>>;

/**
 * Sends commands through the Edge Function. A failed request is repeated with the same command id, a few times and with
 * growing pauses, so that the command takes effect once; one whose token is refused, with a new token. A rejection is a result; throws `CommandError` for the rest.
 */
export function createSend(supabase: SupabaseClient): Send {
  return async (type, command, { wait = defaultWaitSeconds } = {}) => {
    const body = { ...command, type, commandId: command.commandId ?? uuidV7() };
    for (let attempt = 1; ; attempt += 1) {
      const { data, error } = await withGoodToken(supabase, () => invoke(body, wait), ({ error: refusal }) => isAboutToken(refusal));
      if (error === null) return data;
      const retryAfterMs = readRetryPause(error, attempt);
      if (retryAfterMs === undefined || attempt === maxAttempts) throw await readError(body.commandId, error);
      await pause(retryAfterMs);
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

function isAboutToken(error: unknown): boolean {
  return error instanceof FunctionsHttpError && (error.context as Response).status === 401;
}

/** Milliseconds until the next attempt; undefined if the answer would be the same again. */
function readRetryPause(error: unknown, attempt: number): number | undefined {
  const backOff = backOffMs(attempt, firstBackOffMs, longestBackOffMs);
  if (!(error instanceof FunctionsHttpError)) return backOff;
  const response = error.context as Response;
  if (response.status !== 429 && response.status < 500) return undefined;
  return Math.max(backOff, Number(response.headers.get('Retry-After') ?? 0) * 1000);
}

async function readError(commandId: string, cause: Error): Promise<CommandError> {
  return new CommandError(commandId, await readProblem(cause), { cause });
}

/** Nothing if the answer is not the function's own: a gateway in between may have spoken, or the network failed. */
async function readProblem(error: Error): Promise<Partial<ProblemDetails>> {
  if (!(error instanceof FunctionsHttpError)) return {};
  const response = error.context as Response;
  return response.headers.get('Content-Type')?.startsWith('application/problem+json') ? ((await response.json()) as ProblemDetails) : {};
}
