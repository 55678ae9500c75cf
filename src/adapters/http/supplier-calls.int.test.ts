import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, describe, expect, it } from 'vitest';
import { type RunningSupplier, startSupplier } from '../../../examples/supplier/supplier.ts';
import { OutsideUnavailable } from '../../ports/errors.ts';
import { createSupplierCalls } from './supplier-calls.ts';

const supplier: RunningSupplier = await startSupplier({ port: 0, stallMs: 2_000 });
afterAll(() => supplier.stop());

const never = new AbortController().signal;
function place(item: string, idempotencyKey: string, { url = supplier.url, timeoutMs = 1_000, signal = never, tenantId = 'rose' } = {}) {
  const request = { orderId: idempotencyKey, lines: [{ item, quantity: 1, unitPrice: 1 }] };
  return createSupplierCalls({ url, timeoutMs }).call({ tenantId, name: 'place-with-supplier', request, idempotencyKey }, signal);
}

describe('a call to the supplier', () => {
  it('is answered with its reference, the same one each time for the same order', async () => {
    const first = await place('Bread', 'same');
    expect(first).toMatchObject({ ok: true, value: { reference: expect.stringMatching(/^S-/) } });
    expect(await place('Bread', 'same')).toEqual(first);
  });

  it('is placed also where another tenant has taken the same key beforehand', async () => {
    const taken = await place('Bread', 'chosen', { tenantId: 'thorn' });
    const placed = await place('Bread', 'chosen');
    expect(placed).toMatchObject({ ok: true });
    expect(placed).not.toEqual(taken);
  });

  it('takes a refusal for an answer', async () => {
    expect(await place('[refuse] Bread', 'refused')).toEqual({ ok: false, error: { code: 'REFUSED', message: 'We do not deliver this.' } });
  });

  it('may be repeated where the supplier is overloaded, hangs up, or takes too long', async () => {
    await expect(place('[flaky] Bread', 'flaky')).rejects.toThrow('The supplier answered 503.');
    await expect(place('[flaky] Bread', 'flaky')).rejects.toBeInstanceOf(OutsideUnavailable);
    expect(await place('[flaky] Bread', 'flaky')).toMatchObject({ ok: true });
    await expect(place('[twice] Bread', 'twice')).rejects.toThrow('The supplier gave no answer');
    expect(await place('[twice] Bread', 'twice')).toMatchObject({ ok: true });
    await expect(place('[stall] Bread', 'stall', { timeoutMs: 50 })).rejects.toBeInstanceOf(OutsideUnavailable);
  });

  it('ends at once where the worker shuts down', async () => {
    await expect(place('[stall] Bread', 'aborted', { signal: AbortSignal.abort() })).rejects.toBeInstanceOf(OutsideUnavailable);
  });

  it('cannot succeed where there is no supplier', async () => {
    await expect(createSupplierCalls({ url: undefined }).call({ tenantId: 'rose', name: 'place-with-supplier', request: {}, idempotencyKey: 'k' }, never)).rejects.toThrow('SUPPLIER_URL');
  });

  it.each([
    ['is no JSON', 200, '<html>'],
    ['is null', 200, 'null'],
    ['accepts without a reference', 201, '{"ok":true}'],
    ['has a reference that is no text', 200, '{"reference":7}'],
    ['is longer than any answer', 200, JSON.stringify({ reference: 'S-1', note: 'x'.repeat(20_000) })],
    ['refuses without a code', 422, '{"message":"no"}'],
    ['sends us elsewhere', 302, ''],
  ])('takes an answer for nonsense, or for none, that %s', async (_what, status, body) => {
    const server = createServer((_request, response) => response.writeHead(status, { location: '/elsewhere' }).end(body)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const failure: unknown = await place('Bread', 'nonsense', { url }).catch((error: unknown) => error);
    server.close();
    expect(failure).toBeInstanceOf(OutsideUnavailable);
    expect((failure as OutsideUnavailable).code).toBe(status === 302 ? 'UNAVAILABLE' : 'NONSENSE');
  });
});
