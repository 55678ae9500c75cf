import type { OtlpSettings } from './otlp.ts';

/** What the function takes from its environment, read once. Supabase sets the SUPABASE_… variables by itself. */
export interface Settings {
  readonly issuer: string;
  readonly signingKeysUrl: URL;
  readonly restUrl: URL;
  readonly publishableKey: string;
  readonly allowedOrigins: readonly string[];
  /** Null if spans go nowhere. */
  readonly tracing: TracingSettings | null;
}

interface TracingSettings extends OtlpSettings {
  readonly sampledShare: number;
}

/** Throws if a variable is missing or malformed: a function that cannot work must not start. */
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
    tracing: readTracing(read),
  };
}

/** By the same variables as worker and pump, of OpenTelemetry. */
function readTracing(read: (name: string) => string | undefined): TracingSettings | null {
  const endpoint = read('OTEL_EXPORTER_OTLP_ENDPOINT')?.replace(/\/+$/, '');
  const url = read('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT') || (endpoint && `${endpoint}/v1/traces`);
  if (!url || read('OTEL_SDK_DISABLED') === 'true') return null;
  const sampledShare = Number(read('OTEL_TRACES_SAMPLER_ARG') || 1);
  if (!(sampledShare >= 0 && sampledShare <= 1)) throw new Error('OTEL_TRACES_SAMPLER_ARG is not a number from 0 to 1');
  return { url, headers: readHeaders(read('OTEL_EXPORTER_OTLP_HEADERS') ?? ''), serviceName: read('OTEL_SERVICE_NAME') || 'intent-function', sampledShare };
}

/** `name=value,name=value`, the values percent-encoded. */
function readHeaders(list: string): Record<string, string> {
  const pairs = list.matchAll(/([^=,\s]+)=([^,]*)/g);
  return Object.fromEntries(Array.from(pairs, ([, name = '', value = '']) => [name, decodeURIComponent(value.trim())]));
}

/** Newer projects give a JSON dictionary of named keys, older ones a single anonymous key. */
function readPublishableKey(read: (name: string) => string | undefined): string {
  const keys: Record<string, string> = JSON.parse(read('SUPABASE_PUBLISHABLE_KEYS') || '{}');
  const key = keys['default'] ?? Object.values(keys)[0] ?? read('SUPABASE_ANON_KEY');
  if (!key) throw new Error('Neither SUPABASE_PUBLISHABLE_KEYS nor SUPABASE_ANON_KEY is set');
  return key;
}
