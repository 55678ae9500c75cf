import { type Logger as PinoLogger, pino } from 'pino';
import { ConfigError } from './config.ts';
import { type Readiness, startHealthServer } from './health.ts';

const longestShutdownMs = 25_000;

interface CommonConfig {
  readonly LOG_LEVEL: string;
  readonly HEALTH_PORT: number;
}

export interface ProcessContext<Config> {
  readonly config: Config;
  readonly log: PinoLogger;
  /** Aborts at SIGTERM and SIGINT: finish or give back what is in hand, then return. */
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
  const log = pino({ name, level: config.LOG_LEVEL });
  const stopping = new AbortController();
  let readiness: Readiness = { isReady: false, waiting: [] };

  function stop(signalName: NodeJS.Signals): void {
    log.info({ signal: signalName }, 'Shutting down');
    stopping.abort();
    setTimeout(() => {
      log.error({ longestShutdownMs }, 'The shutdown took too long');
      process.exit(1);
    }, longestShutdownMs).unref();
  }
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);

  try {
    const health = await startHealthServer(config.HEALTH_PORT, () => (stopping.signal.aborted ? { ...readiness, isReady: false } : readiness));
    log.info({ healthPort: health.port }, 'Starting');
    await run({
      config,
      log,
      signal: stopping.signal,
      ready(waiting = []) {
        readiness = { isReady: true, waiting };
        if (waiting.length === 0) log.info({}, 'Ready');
        else log.warn({ waiting }, 'Ready; a part has to wait');
      },
    });
    health.close();
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
