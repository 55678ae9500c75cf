/** What the function takes from its environment, read once. Supabase sets the SUPABASE_… variables by itself. */
export interface Settings {
  readonly issuer: string;
  readonly signingKeysUrl: URL;
  readonly restUrl: URL;
  readonly publishableKey: string;
  readonly allowedOrigins: readonly string[];
}

/** Throws where a variable is missing or malformed: a function that cannot work must not start. */
export function readSettings(read: (name: string) => string | undefined): Settings {
  const supabaseUrl = read('SUPABASE_URL')?.replace(/\/+$/, '');
  if (!supabaseUrl) throw new Error('SUPABASE_URL is not set');
  return {
    // Behind a custom domain the issuer may differ from the address at which this function reaches Auth.
    issuer: read('INTENT_JWT_ISSUER') || `${supabaseUrl}/auth/v1`,
    signingKeysUrl: new URL(`${supabaseUrl}/auth/v1/.well-known/jwks.json`),
    restUrl: new URL(`${supabaseUrl}/rest/v1/`),
    publishableKey: readPublishableKey(read),
    allowedOrigins: (read('INTENT_ALLOWED_ORIGINS') ?? '').split(',').map((origin) => origin.trim()).filter(Boolean),
  };
}

/** Newer projects give a JSON dictionary of named keys, older ones a single anonymous key. */
function readPublishableKey(read: (name: string) => string | undefined): string {
  const keys: Record<string, string> = JSON.parse(read('SUPABASE_PUBLISHABLE_KEYS') || '{}');
  const key = keys['default'] ?? Object.values(keys)[0] ?? read('SUPABASE_ANON_KEY');
  if (!key) throw new Error('Neither SUPABASE_PUBLISHABLE_KEYS nor SUPABASE_ANON_KEY is set');
  return key;
}
