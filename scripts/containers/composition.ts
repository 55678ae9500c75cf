import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { projectRoot } from '../../src/local/paths.ts';
import type { Engine } from './engine.ts';
import { run } from './run.ts';

export interface Service {
  readonly image: string;
  readonly restart?: string;
}

/** Of docker-compose.yml, as the engine sees them. */
export interface Composition {
  /** Compose with its command and options. */
  compose(...args: string[]): Promise<string>;
  containerOf(service: string): Promise<Container>;
  docker(...args: string[]): Promise<string>;
}

export interface Container {
  readonly Id: string;
  readonly RestartCount: number;
  readonly State: { readonly Running: boolean; readonly Pid: number; readonly Health?: { readonly Status: string } };
}

export function readServices(): Readonly<Record<string, Service>> {
  const { services } = parse(readFileSync(join(projectRoot, 'docker-compose.yml'), 'utf8'), { merge: true }) as { services: Record<string, Service> };
  return services;
}

/** Those that come back by themselves. */
export function servingServices(): string[] {
  return Object.entries(readServices()).flatMap(([name, { restart }]) => (restart === undefined ? [] : [name]));
}

export function createComposition({ env, compose: [command, ...first] }: Engine, environmentFile: string): Composition {
  const options = [...first, '--project-name', 'intent-check', '--env-file', environmentFile];
  const compose = (...args: string[]) => run(command!, [...options, ...args], { cwd: projectRoot, env });
  const docker = (...args: string[]) => run('docker', args, { env });
  return {
    compose,
    docker,
    async containerOf(service) {
      // `--all` is unknown to Compose 1.29, which lists every one.
      const id = (await docker('ps', '--all', '--quiet', '--filter', 'label=com.docker.compose.project=intent-check', '--filter', `label=com.docker.compose.service=${service}`)).trim();
      return JSON.parse(await docker('inspect', '--format', '{{json .}}', id)) as Container;
    },
  };
}
