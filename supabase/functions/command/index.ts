/**
 * The Edge Function `command`: a signed-in client's only way to submit a command over HTTP with its payload checked.
 * It verifies the token, checks envelope and payload, and calls `api.submit_command` as the user, so that RLS decides.
 */
import { createAuthenticate } from './authenticate.ts';
import { createCommandApi } from './command-api.ts';
import { createCors } from './cors.ts';
import { createHandler } from './handler.ts';
import { readSettings } from './settings.ts';
import { createSigningKeys } from './signing-keys.ts';

const settings = readSettings((name) => Deno.env.get(name));

Deno.serve(
  createHandler({
    authenticate: createAuthenticate({ issuer: settings.issuer, signingKeys: createSigningKeys(settings.signingKeysUrl) }),
    commands: createCommandApi({ restUrl: settings.restUrl, publishableKey: settings.publishableKey }),
    cors: createCors(settings.allowedOrigins),
    log: (entry) => console.log(JSON.stringify(entry)),
  }),
);
