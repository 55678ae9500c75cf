/**
 * The Edge Function `command`: a signed-in client's only way to submit a command over HTTP with its payload checked.
 * It verifies the token, checks envelope and payload, and calls `api.submit_command` as the user, so that RLS decides.
 */
import { createAuthenticate } from './authenticate.ts';
import { createCapacity } from './capacity.ts';
import { createCommandApi } from './command-api.ts';
import { createCors } from './cors.ts';
import { createHandler } from './handler.ts';
import { createSpanSender } from './otlp.ts';
import { readSettings } from './settings.ts';
import { createSigningKeys } from './signing-keys.ts';
import { createTracing, withoutTracing } from './tracing.ts';

/** More than any one client sends at once; few enough that the last of them is answered before its time-out. */
const maxSubmissionsAtOnce = 64;

const settings = readSettings((name) => Deno.env.get(name));
const log = (entry: object) => console.log(JSON.stringify({ time: new Date().toISOString(), ...entry }));

Deno.serve(
  createHandler({
    authenticate: createAuthenticate({ issuer: settings.issuer, signingKeys: createSigningKeys(settings.signingKeysUrl) }),
    commands: createCommandApi({ restUrl: settings.restUrl, publishableKey: settings.publishableKey }),
    cors: createCors(settings.allowedOrigins),
    startSpan: startSpan(),
    withinCapacity: createCapacity(maxSubmissionsAtOnce),
    log,
  }),
);

function startSpan() {
  const { tracing } = settings;
  if (tracing === null) return withoutTracing;
  const { EdgeRuntime: supabase } = globalThis as { EdgeRuntime?: { waitUntil(work: Promise<unknown>): void } };
  const send = createSpanSender({
    ...tracing,
    // Supabase ends an idle instance; Deno itself stays.
    keepAlive: (sending) => supabase?.waitUntil(sending),
    warn: (cause) => log({ level: 'warn', message: 'Spans were not taken', cause: String(cause) }),
  });
  return createTracing({ ...tracing, send });
}
