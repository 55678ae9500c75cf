import { type Logger as PinoLogger, pino } from 'pino';
import { onNpmGone } from '../local/process/npm-gone.ts';
import { ConfigError } from './config.ts';
import { startHealthServer } from './health.ts';
import { createReadiness, type Readiness } from './readiness.ts';
import type { TracingConfig } from './telemetry.ts';
import { createTelemetry, type Telemetry } from './telemetry-context.ts';

const longestShutdownMs = 25_000;

interface CommonConfig extends TracingConfig {
  readonly LOG_LEVEL: string;
  readonly HEALTH_PORT: number;
}

export interface ProcessContext<Config> {
  readonly config: Config;
  readonly log: PinoLogger;
  readonly telemetry: Telemetry;
  /** Without what it cannot work, as `/readyz` tells. */
  readonly need: Readiness['need'];
  /** What `/readyz` tells though the work goes on. */
  readonly ask: Readiness['ask'];
  /** Something waits, and for what, as `/readyz` tells for a while. */
  readonly noteWaiting: Readiness['noteWaiting'];
  /** Aborts at SIGTERM and SIGINT, and at the end of the npm that runs us: finish or give back what is in hand, then return. */
  readonly signal: AbortSignal;
  /** Says that the process does its work now: `/readyz` answers 200, and names what waits all the same. */
  ready(waiting?: readonly string[]): void;
}

/** The frame of every long-running process: settings, log, health server, signals, and an exit code. */
export async function runProcess<Config extends CommonConfig>(
  name: string,
  loadConfig: () => Config,
  run: (context: ProcessContext<Config>) => Promise<void>,
): Promise<void> {
  const config = loadConfigOrExit(loadConfig);
  const telemetry = await createTelemetry(name, config);
  const log = pino({ name, level: config.LOG_LEVEL, mixin: (line) => telemetry.traceIds.fieldsFor(line) });
  const stopping = new AbortController();
  const readiness = createReadiness();

  function stop(reason: NodeJS.Signals | 'npm has ended'): void {
    if (stopping.signal.aborted) return;
    log.info({ signal: reason }, 'Shutting down');
    readiness.stopping();
    stopping.abort();
    setTimeout(() => {
      log.error({ longestShutdownMs }, 'The shutdown took too long');
      process.exit(1);
    }, longestShutdownMs).unref();
  }
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  onNpmGone(() => stop('npm has ended'));

  try {
    const health = await startHealthServer(config.HEALTH_PORT, readiness, telemetry.page);
    log.info({ healthPort: health.port }, 'Starting');
    await run({
      config,
      log,
      telemetry,
      need: readiness.need,
      ask: readiness.ask,
      noteWaiting: readiness.noteWaiting,
      signal: stopping.signal,
      ready(waiting = []) {
        readiness.ready(waiting);
        if (waiting.length === 0) log.info({}, 'Ready');
        else log.warn({ waiting }, 'Ready; a part has to wait');
      },
    });
    health.close();
    await telemetry.tracing.stop();
    log.info({}, 'Stopped');
    // Native threads of the Temporal SDK would keep the process alive.
    process.exit(0);
  } catch (error) {
    log.fatal({ err: error }, 'Stopped by an error');
    process.exit(1);
  }
}

function loadConfigOrExit<Config>(loadConfig: () => Config): Config {
  try {
    return loadConfig();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(error.message);
    return process.exit(2);
  }
}
