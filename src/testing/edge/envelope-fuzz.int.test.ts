import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { commandDefinitions } from '../../domain/commands.ts';
import { hostileText } from '../hostile-text.ts';
import { openBudget, startEdgeStack, type Body, type EdgeStack } from './edge-stack.ts';

let stack: EdgeStack;

beforeAll(async () => {
  stack = await startEdgeStack();
}, 60_000);

afterAll(() => stack.stop());

const runs = 300;
const timeLimitMs = 5_000;
const type = fc.constantFrom(...Object.keys(commandDefinitions));
const text = hostileText(40);

/** Valid in some fields and arbitrary in the others, so that each stage of the checks is reached. */
const envelope = fc
  .record(
    {
      commandId: fc.oneof(fc.uuid(), text),
      type: fc.oneof(type, text),
      aggregateId: fc.oneof(fc.uuid(), fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,63}$/), text),
      payload: fc.oneof(fc.constant(openBudget().payload), fc.constant({}), fc.jsonValue()),
      expectedVersion: fc.oneof(fc.nat(), fc.double({ noNaN: true })),
      correlationId: fc.oneof(fc.uuid(), text),
      executeAt: fc.oneof(fc.date({ noInvalidDate: true }).map((date) => date.toISOString()), text),
      tenantId: fc.oneof(fc.uuid(), text),
      extra: fc.jsonValue(),
    },
    { requiredKeys: ['commandId', 'type', 'aggregateId', 'payload'] },
  )
  .map((value): Body => JSON.stringify(value));

/** The text of a valid command with one piece cut out or replaced. */
const damaged = fc
  .tuple(fc.nat({ max: 150 }), fc.nat({ max: 10 }), fc.uint8Array({ maxLength: 6 }))
  .map(([at, length, bytes]): Body => {
    const whole = Buffer.from(JSON.stringify(openBudget()));
    return Buffer.concat([whole.subarray(0, at), bytes, whole.subarray(at + length)]);
  });

test('whatever the body is, the answer is never a fault of the server', async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(envelope, damaged), async (body) => {
      const response = await stack.post(body);
      await response.arrayBuffer();
      expect([200, 202, 400, 403, 409]).toContain(response.status);
    }),
    { numRuns: runs, plugins: [fc.interruptAfterTimeLimit(timeLimitMs)] },
  );
}, 60_000);
