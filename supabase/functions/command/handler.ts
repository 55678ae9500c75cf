import type { Authenticate } from './authenticate.ts';
import type { CommandApi, CommandStatus } from './command-api.ts';
import type { Cors } from './cors.ts';
import { readEnvelope } from './envelope.ts';
import { parseJson } from './parse-json.ts';
import { Problem } from './problem.ts';
import { readBody } from './read-body.ts';
import { readTrace } from './trace.ts';
import { isSettled, readWait, waitUntilSettled } from './wait.ts';

interface HandlerDependencies {
  readonly authenticate: Authenticate;
  readonly commands: CommandApi;
  readonly cors: Cors;
  log(entry: Readonly<Record<string, unknown>>): void;
}

/** What the log tells of a request. No token, no payload. */
interface LogFields {
  userId?: string;
  tenantId?: string;
  commandId?: string;
  type?: string;
}

/** The platform strips the prefix, a plain gateway does not. */
const paths = ['/command', '/functions/v1/command'];

export function createHandler({ authenticate, commands, cors, log }: HandlerDependencies): (request: Request) => Promise<Response> {
  return async (request) => {
    const startedAt = performance.now();
    const { traceId, traceparent } = readTrace(request.headers.get('traceparent'));
    const fields: LogFields = {};
    let response: Response;
    let problem: Problem | undefined;
    try {
      response = await answer(request, traceparent, fields);
    } catch (error) {
      problem = asProblem(error);
      response = problem.toResponse(traceId);
    }
    for (const [name, value] of cors(request)) response.headers.set(name, value);
    log({
      time: new Date().toISOString(),
      level: response.status >= 500 ? 'error' : 'info',
      traceId,
      method: request.method,
      status: response.status,
      durationMs: Math.round(performance.now() - startedAt),
      ...fields,
      ...(problem && { code: problem.code, cause: describe(problem.cause) }),
    });
    return response;
  };

  async function answer(request: Request, traceparent: string, fields: LogFields): Promise<Response> {
    if (!paths.includes(new URL(request.url).pathname)) throw new Problem('IN404', 'The function is at /functions/v1/command.');
    if (request.method === 'OPTIONS') return new Response(null, { status: 204 });
    if (request.method !== 'POST') throw new Problem('IN405', 'Send POST.', { headers: { Allow: 'POST, OPTIONS' } });

    const { token, userId, tenantId } = await authenticate(request);
    Object.assign(fields, { userId, tenantId });
    const envelope = readEnvelope(parseJson(await readBody(request)), tenantId);
    Object.assign(fields, { commandId: envelope.commandId, type: envelope.type });

    const submitted = await commands.submit(token, envelope, traceparent);
    const wait = readWait(request.headers.get('Prefer'));
    if (wait === null) return toResponse(submitted);
    const waited = await waitUntilSettled(submitted, wait * 1000, () => commands.get(token, envelope.commandId));
    return toResponse(waited, { 'Preference-Applied': `wait=${wait}` });
  }
}

function toResponse(command: CommandStatus, headers: Readonly<Record<string, string>> = {}): Response {
  const { commandId, status, outcome, duplicate } = command;
  return isSettled(command)
    ? Response.json({ commandId, status, outcome, duplicate }, { status: 200, headers })
    : Response.json({ commandId, status, duplicate }, { status: 202, headers });
}

function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem('IN500', 'The function failed. Nothing is lost: send the command again with the same commandId.', { cause: error });
}

function describe(cause: unknown): unknown {
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : cause;
}
