import { z } from 'zod';
import { type CommandDefinition, findCommandDefinition } from '../_shared/command-definitions.ts';
import { type FieldError, malformed, Problem, toPointer } from './problem.ts';

// In any version, as PostgreSQL's type reads it.
const uuid = z.guid();

const envelopeSchema = z.strictObject({
  commandId: uuid,
  type: z.string(),
  aggregateId: z.string(),
  payload: z.unknown(),
  expectedVersion: z.int().min(0).optional(),
  correlationId: uuid.optional(),
  causationId: uuid.optional(),
  executeAt: z.iso.datetime({ offset: true }).optional(),
  tenantId: z.string().optional(),
});

export interface Envelope extends z.infer<typeof envelopeSchema> {
  readonly definition: CommandDefinition;
}

/**
 * Checks what a client sent against the envelope and the definition of its type.
 * Throws IN422 with the path of each problem, IN403 for another tenant or a type that only the system sends.
 */
export function readEnvelope(input: unknown, tenantId: string): Envelope {
  const envelope = envelopeSchema.safeParse(input);
  if (!envelope.success) throw malformed(fieldErrors(envelope.error.issues));

  const { type, aggregateId, payload } = envelope.data;
  if (envelope.data.tenantId !== undefined && envelope.data.tenantId !== tenantId) {
    throw new Problem('IN403', 'The command names another tenant than the access token.');
  }
  const definition = findCommandDefinition(type);
  if (definition === undefined) throw malformed([{ path: '/type', message: 'is not a known command' }]);
  if (definition.sentBy.every((sender) => sender === 'system')) {
    throw new Problem('IN403', `${type} is sent by the system only.`);
  }

  const content = definition.payload.safeParse(payload);
  const errors = content.success ? [] : fieldErrors(content.error.issues, '/payload');
  if (!new RegExp(definition.aggregateIdPattern).test(aggregateId)) {
    errors.unshift({ path: '/aggregateId', message: `must match ${definition.aggregateIdPattern}` });
  }
  if (errors.length > 0) throw malformed(errors);
  return { ...envelope.data, definition };
}

function fieldErrors(issues: readonly { path: readonly PropertyKey[]; message: string }[], prefix = ''): FieldError[] {
  return issues.map(({ path, message }) => ({ path: prefix + toPointer(path), message }));
}
