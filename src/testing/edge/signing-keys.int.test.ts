import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { jwtVerify } from 'jose';
import { cacheDirectory } from '../../local/cache-directory.ts';
import { startEdgeFunction } from '../../local/edge-function.ts';
import { createSigningKeys, SigningKeysUnavailable } from '../../../supabase/functions/command/signing-keys.ts';
import { createScratchDirectory } from '../scratch-directory.ts';
import { chooseTestPort } from '../test-port.ts';
import { startSupabaseUpstream, type SupabaseUpstream } from './supabase-upstream.ts';
import { createTokenIssuer, type TokenIssuer } from './token-issuer.ts';

let upstream: SupabaseUpstream;
let issuer: TokenIssuer;
let verify: (token: string) => Promise<unknown>;

const minuteMs = 60_000;

beforeEach(async () => {
  upstream = await startSupabaseUpstream();
  issuer = await createTokenIssuer();
  const keys = createSigningKeys(new URL('/auth/v1/.well-known/jwks.json', upstream.url));
  verify = (token) => jwtVerify(token, keys, { algorithms: ['ES256'] });
  vi.useFakeTimers({ toFake: ['Date'] });
});

afterEach(async () => {
  vi.useRealTimers();
  await upstream.stop();
});

test('while Auth has never been reached, no token passes, and Auth is asked once a second at most', async () => {
  const token = await issuer.sign({});
  await expect(verify(token)).rejects.toThrow(SigningKeysUnavailable);
  await expect(verify(token)).rejects.toThrow(SigningKeysUnavailable);
  expect(upstream.keyRequests()).toBe(1);

  upstream.serveKeys(issuer.jwks);
  vi.advanceTimersByTime(1_000);
  await verify(token);
});

test('when Auth goes away, the last known keys serve for as long as it takes', async () => {
  upstream.serveKeys(issuer.jwks);
  const token = await issuer.sign({});
  await verify(token);

  upstream.serveKeys(null);
  vi.advanceTimersByTime(60 * minuteMs);
  await verify(token);
  await expect(verify(await issuer.sign({}, { kid: 'unknown' }))).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
});

test('a key that Auth signs with at once, without a standby before, passes half a minute later at the latest', async () => {
  upstream.serveKeys(issuer.jwks);
  await verify(await issuer.sign({}));

  const next = await createTokenIssuer('next-key');
  upstream.serveKeys({ keys: [...next.jwks.keys, ...issuer.jwks.keys] });
  const token = await next.sign({});
  await expect(verify(token)).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
  vi.advanceTimersByTime(30_000);
  await verify(token);
  await verify(await issuer.sign({}));
});

test('a key that Auth has withdrawn passes for ten minutes at most', async () => {
  upstream.serveKeys(issuer.jwks);
  const token = await issuer.sign({});
  await verify(token);

  upstream.serveKeys({ keys: [] });
  vi.advanceTimersByTime(10 * minuteMs + 1);
  await expect(verify(token)).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
});

test('503 with Retry-After while the function has no key, whatever the token, and nothing is asked of the database', async () => {
  vi.useRealTimers();
  const home = await createScratchDirectory();
  const { url, stop } = await startEdgeFunction({
    home: home.path,
    port: await chooseTestPort(),
    supabaseUrl: upstream.url,
    publishableKey: 'sb_publishable_test',
    allowedOrigins: [],
    cacheDirectory: cacheDirectory(),
    log: () => {},
  });
  try {
    const tokens = [await issuer.sign({ role: 'authenticated' }), await issuer.sign({}, { kid: 'unknown' })];
    for (const token of tokens) {
      const response = await fetch(url, { method: 'POST', headers: { Authorization: `Bearer ${token}` } });
      expect([response.status, response.headers.get('Retry-After')]).toEqual([503, '1']);
      expect(await response.json()).toMatchObject({ code: 'IN503' });
    }
    expect(upstream.restRequests()).toBe(0);
  } finally {
    await stop();
    home.remove();
  }
});
