import type { Authenticate } from './authenticate.ts';
import type { WithinCapacity } from './capacity.ts';
import type { CommandApi, CommandStatus } from './command-api.ts';
import type { Cors } from './cors.ts';
import { readEnvelope } from './envelope.ts';
import { parseJson } from './parse-json.ts';
import { Problem } from './problem.ts';
import { readBody } from './read-body.ts';
import { readTrace } from './trace.ts';
import { type StartSpan, withoutTracing } from './tracing.ts';
import { isSettled, readWait, waitUntilSettled } from './wait.ts';

interface HandlerDependencies {
  readonly authenticate: Authenticate;
  readonly commands: CommandApi;
  readonly cors: Cors;
  readonly startSpan: StartSpan;
  /** For submissions. */
  readonly withinCapacity: WithinCapacity;
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

export function createHandler({ authenticate, commands, cors, startSpan, withinCapacity, log }: HandlerDependencies): (request: Request) => Promise<Response> {
  return async (request) => {
    const startedAt = performance.now();
    const trace = readTrace(request.headers.get('traceparent'));
    const { traceId } = trace;
    // A browser's question beforehand is no request of a person.
    const span = request.method === 'OPTIONS' ? withoutTracing(trace) : startSpan(trace);
    const fields: LogFields = {};
    let response: Response;
    let problem: Problem | undefined;
    try {
      response = await answer(request, span.traceparent, fields);
    } catch (error) {
      problem = asProblem(error);
      response = problem.toResponse(traceId);
    }
    for (const [name, value] of cors(request)) response.headers.set(name, value);
    span.end({
      name: fields.type === undefined ? 'submit' : `submit ${fields.type}`,
      attributes: {
        'http.request.method': request.method,
        'http.response.status_code': response.status,
        'intent.tenant_id': fields.tenantId,
        'intent.command_id': fields.commandId,
        'error.type': problem?.code,
      },
      hasFailed: response.status >= 500,
    });
    log({
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

    const submitted = await withinCapacity(() => commands.submit(token, envelope, traceparent));
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
