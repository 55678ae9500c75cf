import { spawnSync } from 'node:child_process';
import { isInstalled } from './run.ts';

export interface Engine {
  readonly env: NodeJS.ProcessEnv;
  /** `docker compose`, else `docker-compose`. */
  readonly compose: readonly string[];
  /** For `docker build`: by which way the image's build reaches the registries. */
  readonly buildArgs: readonly string[];
  /** Ends the daemon and starts it again; undefined if it is not ours. */
  readonly restart?: () => Promise<void>;
}

/** By version: the newest first. */
const composeCommands = [['docker', 'compose'], ['docker-compose']] as const;

export function findCompose(): readonly string[] | undefined {
  return composeCommands.find(([command, ...args]) => isInstalled(command, ...args, 'version'));
}

/** An engine that answers, has Compose and reaches a registry. */
export function findRunningEngine(): Engine | undefined {
  const compose = findCompose();
  if (compose === undefined || spawnSync('docker', ['version'], { stdio: 'ignore' }).status !== 0) return undefined;
  if (spawnSync('docker', ['pull', '--quiet', 'node:24-slim'], { stdio: 'ignore' }).status !== 0) return undefined;
  return { env: process.env, compose, buildArgs: [] };
}
