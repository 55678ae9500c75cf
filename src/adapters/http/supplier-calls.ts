import { OutsideUnavailable } from '../../ports/errors.ts';
import type { OutsideAnswer, OutsideCalls } from '../../ports/outside-calls.ts';

/** The supplier thinks for up to 20 s; who does not answer by then is asked again. */
const defaultTimeoutMs = 30_000;
/** No answer of a supplier is as long. */
const maxAnswerCharacters = 10_000;

export interface SupplierCallsDeps {
  /** Undefined: there is no supplier, and no call ever succeeds. */
  readonly url: string | undefined;
  /** (Default: 30,000) */
  readonly timeoutMs?: number;
}

/**
 * The call `place-with-supplier` as `POST <url>/orders`, with an idempotency key, which is one of the tenant's
 * (`intent-tenant`): in another tenant somebody may have chosen the same. 2xx with a reference is an acceptance, 4xx with a code
 * a refusal: both are answers. Everything else (no answer, 5xx, 408, 429, what cannot be read) is unavailable, to be repeated.
 */
export function createSupplierCalls({ url, timeoutMs = defaultTimeoutMs }: SupplierCallsDeps): OutsideCalls {
  return {
    async call({ tenantId, name, request, idempotencyKey }, signal) {
      if (name !== 'place-with-supplier') throw new Error(`Nobody takes the outside call ${name}.`);
      if (url === undefined) throw new OutsideUnavailable('SUPPLIER_URL is not set.');
      const headers = { 'intent-tenant': tenantId, 'idempotency-key': idempotencyKey };
      const { response, body } = await post(`${url}/orders`, request, headers, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]));
      return readAnswer(response, body);
    },
  };
}

async function post(url: string, request: unknown, headers: Readonly<Record<string, string>>, signal: AbortSignal) {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json', ...headers },
      body: JSON.stringify(request),
      redirect: 'error',
      signal,
    });
    return { response, body: await response.text() };
  } catch (error) {
    throw new OutsideUnavailable(`The supplier gave no answer: ${(error as Error).message}`, { cause: error });
  }
}

function readAnswer({ ok, status }: Response, text: string): OutsideAnswer {
  if (status >= 500 || status === 408 || status === 429) throw new OutsideUnavailable(`The supplier answered ${status}.`);
  const body = readFields(text);
  if (ok && isText(body?.['reference'])) return { ok: true, value: { reference: body['reference'] } };
  if (status >= 400 && isText(body?.['code'])) {
    return { ok: false, error: { code: body['code'], message: isText(body['message']) ? body['message'] : body['code'] } };
  }
  throw new OutsideUnavailable(`The supplier answered ${status} with what is no answer.`, { code: 'NONSENSE' });
}

function readFields(text: string): Record<string, unknown> | undefined {
  if (text.length > maxAnswerCharacters) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= 1_000;
}
