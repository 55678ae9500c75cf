import type { Envelope } from './envelope.ts';
import { problemOfPostgrest } from './postgrest-errors.ts';
import { unavailable } from './problem.ts';

/** A command as `api.submit_command` and `api.get_command` tell it. */
export interface CommandStatus {
  readonly commandId: string;
  readonly status: 'pending' | 'dispatched' | 'succeeded' | 'rejected' | 'failed';
  readonly duplicate: boolean;
  readonly outcome: unknown;
}

/** The database, as the user whose token is given. Each call throws a `Problem`. */
export interface CommandApi {
  submit(token: string, envelope: Envelope, traceparent: string): Promise<CommandStatus>;
  /** Null if the command is not there, or not the caller's to see. */
  get(token: string, commandId: string): Promise<CommandStatus | null>;
}

interface CommandApiDependencies {
  readonly restUrl: URL;
  readonly publishableKey: string;
}

const callTimeoutMs = 10_000;

/** Plain fetch: two calls of one kind do not need supabase-js, whose Auth and Realtime clients would lengthen a cold start. */
export function createCommandApi({ restUrl, publishableKey }: CommandApiDependencies): CommandApi {
  return {
    submit: async (token, envelope, traceparent) =>
      (await call(token, 'submit_command', {
        command_id: envelope.commandId,
        type: envelope.type,
        aggregate_type: envelope.definition.aggregateType,
        aggregate_id: envelope.aggregateId,
        payload: envelope.payload,
        expected_version: envelope.expectedVersion ?? null,
        correlation_id: envelope.correlationId ?? null,
        causation_id: envelope.causationId ?? null,
        execute_at: envelope.executeAt ?? null,
        schema_version: envelope.definition.schemaVersion,
        traceparent,
      })) as CommandStatus,
    get: async (token, commandId) => (await call(token, 'get_command', { command_id: commandId })) as CommandStatus | null,
  };

  async function call(token: string, name: string, parameters: Readonly<Record<string, unknown>>): Promise<unknown> {
    const { ok, body } = await post(token, name, parameters);
    if (!ok) throw problemOfPostgrest(body);
    return body;
  }

  async function post(token: string, name: string, parameters: Readonly<Record<string, unknown>>) {
    try {
      const response = await fetch(new URL(`rpc/${name}`, restUrl), {
        method: 'POST',
        headers: {
          apikey: publishableKey,
          Authorization: `Bearer ${token}`,
          'Content-Type': 'application/json',
          'Content-Profile': 'api',
        },
        body: JSON.stringify(parameters),
        signal: AbortSignal.timeout(callTimeoutMs),
      });
      return { ok: response.ok, body: (await response.json()) as unknown };
    } catch (error) {
      throw unavailable(error);
    }
  }
}
