import { hostname } from 'node:os';
import { z } from 'zod';
import { problemsOfDatabaseUrl } from './database-url.ts';

const postgresUrl = z
  .string()
  .regex(/^postgres(ql)?:\/\//, { message: 'must be a postgresql:// address', abort: true })
  .superRefine((url, { addIssue }) => {
    for (const problem of problemsOfDatabaseUrl(url, process.env['NODE_ENV'])) addIssue(problem);
  });
const endpoint = z.url({ protocol: /^https?$/ });
const port = z.coerce.number().int().min(0).max(65535);

const settings = z.object({
  NODE_ENV: z.enum(['production', 'development', 'test']).optional(),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
  INTENT_TASK_QUEUES: z.coerce.number().int().min(1).max(64).default(4),
  OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.optional(),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: endpoint.optional(),
  OTEL_SDK_DISABLED: z.enum(['true', 'false']).optional(),
  OTEL_TRACES_SAMPLER_ARG: z.coerce.number().min(0).max(1).default(1),
});
const worker = settings.extend({
  INTENT_ENGINE: z.enum(['temporal', 'inline']).default('temporal'),
  INTENT_PUMP: z.enum(['embedded', 'separate']).default('separate'),
  DATABASE_URL: postgresUrl,
  PUMP_DATABASE_URL: postgresUrl.optional(),
  HEALTH_PORT: port.default(8080),
  SUPPLIER_URL: z.url({ protocol: /^https?$/ }).optional(),
  WORKER_BUILD_ID: z.string().regex(/^[\w.-]{1,128}$/, { message: 'must be up to 128 letters, digits, dots and dashes' }).optional(),
});
const pump = settings.extend({ PUMP_DATABASE_URL: postgresUrl, HEALTH_PORT: port.default(8081) });

export type WorkerConfig = z.infer<typeof worker>;
export type PumpConfig = z.infer<typeof pump>;

export function loadWorkerConfig(): WorkerConfig {
  const config = parse(worker);
  if (config.PUMP_DATABASE_URL === undefined && (config.INTENT_PUMP === 'embedded' || config.INTENT_ENGINE === 'inline')) {
    throw new ConfigError(['PUMP_DATABASE_URL: is needed for INTENT_PUMP=embedded and for INTENT_ENGINE=inline']);
  }
  return config;
}

export function loadPumpConfig(): PumpConfig {
  return parse(pump);
}

/** This process among others, for `commands.claimed_by`. */
export const processName = `${hostname()}/${process.pid}`;

/** All that is wrong with the environment, at once. */
export class ConfigError extends Error {
  constructor(problems: readonly string[]) {
    super(`These settings of the environment need mending (.env.example explains each):\n${problems.map((line) => `  ${line}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}

function parse<Schema extends z.ZodType>(schema: Schema): z.infer<Schema> {
  const given = Object.fromEntries(Object.entries(process.env).filter(([, value]) => value !== ''));
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  throw new ConfigError(result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`));
}
