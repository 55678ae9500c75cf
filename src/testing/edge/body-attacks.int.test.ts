import { ReadableStream } from 'node:stream/web';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Body, openBudget, startEdgeStack, type EdgeStack } from './edge-stack.ts';

let stack: EdgeStack;

beforeAll(async () => {
  stack = await startEdgeStack();
}, 60_000);

afterAll(() => stack.stop());

const maxBodyBytes = 256 * 1024;
const valid = () => JSON.stringify(openBudget());
/** The body with a raw JSON text as the budget's limit. */
const withLimit = (limit: string) => valid().replace('50000', limit);
const withName = (name: string) => valid().replace('Groceries', name);
const changed = (change: object) => () => ({ ...openBudget(), ...change });

interface Malformed {
  body: () => Body;
  paths: string[];
}

const malformed: Record<string, Malformed> = {
  'an empty body': { body: () => '', paths: [''] },
  'no JSON': { body: () => '{"commandId":', paths: [''] },
  'a comment': { body: () => `${valid()} // comment`, paths: [''] },
  'a trailing comma': { body: () => valid().replace(/}$/, ',}'), paths: [''] },
  'an array': { body: () => `[${valid()}]`, paths: [''] },
  'null': { body: () => 'null', paths: [''] },
  'a byte order mark': { body: () => `\uFEFF${valid()}`, paths: [''] },
  'invalid UTF-8': { body: () => Buffer.from(withName('\u00e9'), 'latin1'), paths: [''] },
  'UTF-16': { body: () => Buffer.from(valid(), 'utf16le'), paths: [''] },
  'an overlong encoding': { body: () => Buffer.from(withName('\u00c0\u00af'), 'latin1'), paths: [''] },
  'a repeated key': { body: () => valid().replace('{', '{"type":"PlaceOrder",'), paths: ['/type'] },
  'a repeated key in the payload': { body: () => withLimit('1,"limit":2'), paths: ['/payload/limit'] },
  'a repeated key with an escape': { body: () => withLimit('1,"l\\u0069mit":2'), paths: ['/payload/limit'] },
  '__proto__': { body: () => valid().replace('{', '{"__proto__":{"sentBy":["guest"]},'), paths: ['/__proto__'] },
  'constructor': { body: () => withLimit('1,"constructor":{}'), paths: ['/payload/constructor'] },
  'NaN': { body: () => withLimit('NaN'), paths: [''] },
  '1e400': { body: () => withLimit('1e400'), paths: ['/payload/limit'] },
  '-1e400': { body: () => withLimit('-1e400'), paths: ['/payload/limit'] },
  'a fraction that a double has no room for': { body: () => withLimit('4503599627370496.5'), paths: ['/payload/limit'] },
  'a number just beside an integer': { body: () => withLimit('5.0000000000000000001'), paths: ['/payload/limit'] },
  'a number that a double takes for 0': { body: () => withLimit('1e-400'), paths: ['/payload/limit'] },
  'an integer above 2^53': { body: () => withLimit('9007199254740993'), paths: ['/payload/limit'] },
  'a negative integer below -2^53': { body: () => withLimit('-9007199254740993'), paths: ['/payload/limit'] },
  'U+0000': { body: () => withName('a\\u0000b'), paths: ['/payload/name'] },
  'U+0000 in a key': { body: () => withLimit('1,"\\u0000":1'), paths: ['/payload/\0'] },
  'a lone surrogate': { body: () => withName('\\ud800'), paths: ['/payload/name'] },
  'nesting over 32': { body: () => withLimit('['.repeat(31) + ']'.repeat(31)), paths: [`/payload/limit${'/0'.repeat(30)}`] },
  'nesting without end': { body: () => '['.repeat(100_000) + ']'.repeat(100_000), paths: ['/0'.repeat(32)] },
  'an unknown field': { body: changed({ actor: 'system' }), paths: [''] },
  'an unknown field in the payload': { body: () => withLimit('1,"currency":"EUR"'), paths: ['/payload'] },
  'no command id': { body: changed({ commandId: undefined }), paths: ['/commandId'] },
  'a command id that is no uuid': { body: changed({ commandId: "1' or '1'='1" }), paths: ['/commandId'] },
  'no payload': { body: changed({ payload: undefined }), paths: ['/payload'] },
  'an unknown command type': { body: changed({ type: 'PrintMoney' }), paths: ['/type'] },
  'the name of an inherited property as type': { body: changed({ type: 'toString' }), paths: ['/type'] },
  'an id that does not fit the aggregate': { body: changed({ aggregateId: 'No Budget' }), paths: ['/aggregateId'] },
  'a line break behind the id': { body: changed({ aggregateId: 'budget\n' }), paths: ['/aggregateId'] },
  'a negative expected version': { body: changed({ expectedVersion: -1 }), paths: ['/expectedVersion'] },
  'a date without an offset': { body: changed({ executeAt: '2026-11-22T10:00:00' }), paths: ['/executeAt'] },
  'a date that PostgreSQL does not know': { body: changed({ executeAt: '0000-01-01T00:00:00Z' }), paths: [''] },
  'each problem of the payload': {
    body: changed({ payload: { name: '', limit: -1 } }),
    paths: ['/payload/name', '/payload/limit'],
  },
};

describe('400 with the path of each problem, and no row', () => {
  test.for(Object.entries(malformed))('%s', async ([, { body, paths }]) => {
    const response = await stack.withoutRow(() => stack.post(body()));
    const problem = (await response.json()) as { code: string; errors: { path: string }[] };
    expect([response.status, problem.code]).toEqual([400, 'IN422']);
    expect(problem.errors.map(({ path }) => path)).toEqual(paths);
  });
});

describe('413 above 256 KiB, and no row', () => {
  test('by its own account', async () => {
    await expectCode(() => stack.post(padded(maxBodyBytes + 1)), 413, 'IN413');
  });

  test('counted while it streams', async () => {
    await expectCode(() => stack.post(ReadableStream.from([Buffer.from(padded(maxBodyBytes + 1))])), 413, 'IN413');
  });

  test('an endless body is not read to its end', async () => {
    const spaces = Buffer.alloc(64 * 1024, ' ');
    let chunks = 0;
    const endless = new ReadableStream({
      pull: (controller) => {
        chunks += 1;
        controller.enqueue(spaces);
      },
    });
    // Either the answer comes through, or the connection is cut while the body is still being sent.
    const status = await stack.post(endless).then((response) => response.status, () => 413);
    expect(status).toBe(413);
    expect(chunks).toBeLessThan(10_000);
  });

  test('256 KiB and not a byte less are accepted', async () => {
    expect((await stack.post(padded(maxBodyBytes))).status).toBe(202);
  });
});

describe('415 for another type or encoding, and no row', () => {
  test.for([
    ['text', { 'Content-Type': 'text/plain' }],
    ['a form', { 'Content-Type': 'application/x-www-form-urlencoded' }],
    ['another character set', { 'Content-Type': 'application/json; charset=utf-16' }],
    ['a patch', { 'Content-Type': 'application/json-patch+json' }],
  ] as const)('%s', async ([, headers]) => {
    await expectCode(() => stack.post(valid(), headers), 415, 'IN415');
  });

  test('a compressed body', async () => {
    await expectCode(() => stack.post(gzipSync(valid()), { 'Content-Encoding': 'gzip' }), 415, 'IN415');
  });
});

describe('405 for other methods, and no row', () => {
  test.for(['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE'])('%s', async (method) => {
    const response = await stack.withoutRow(() => fetch(stack.url, { method }));
    expect([response.status, response.headers.get('Allow')]).toEqual([405, 'POST, OPTIONS']);
  });
});

function padded(bytes: number): string {
  const body = valid();
  return body + ' '.repeat(bytes - body.length);
}

async function expectCode(attack: () => Promise<Response>, status: number, code: string): Promise<void> {
  const response = await stack.withoutRow(attack);
  expect([response.status, await response.json()]).toEqual([status, expect.objectContaining({ status, code })]);
}
