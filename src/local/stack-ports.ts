import { choosePort, isFree } from './ports.ts';

/**
 * The ports of one stack on 127.0.0.1. Those that people use come first; the rest is between the parts, and lies below the ports
 * that systems give to outgoing connections, which would meet ours between look and use.
 */
export interface StackPorts {
  readonly api: number;
  readonly database: number;
  readonly temporal: number;
  readonly temporalUi: number;
  readonly postgrest: number;
  readonly postgrestAdmin: number;
  readonly edgeFunction: number;
  readonly workerHealth: number;
  readonly supplier: number;
}

export const preferredPorts: StackPorts = {
  api: 54321,
  database: 54322,
  temporal: 7233,
  temporalUi: 8233,
  postgrest: 24331,
  postgrestAdmin: 24332,
  edgeFunction: 24333,
  workerHealth: 24334,
  supplier: 24335,
};

/** The preferred ports, and the next free one for each that is in use. Throws `StackError` if there are none. */
export async function chooseStackPorts(preferred: StackPorts, log: (line: string) => void): Promise<StackPorts> {
  const chosen = { ...preferred };
  for (const name of Object.keys(preferred) as (keyof StackPorts)[]) {
    chosen[name] = await choosePort(preferred[name]);
    if (chosen[name] !== preferred[name]) log(`  port ${preferred[name]} is in use: taking ${chosen[name]} instead`);
  }
  return chosen;
}

/** Others for those that somebody listens on while our parts do not run; `undefined` if there are none. */
export async function replaceTakenPorts(ports: StackPorts, log: (line: string) => void): Promise<StackPorts | undefined> {
  const replaced = { ...ports };
  for (const name of Object.keys(ports) as (keyof StackPorts)[]) {
    if (await isFree(ports[name])) continue;
    replaced[name] = await choosePort(ports[name] + 1);
    log(`  port ${ports[name]} was taken meanwhile: taking ${replaced[name]} instead`);
  }
  return Object.keys(ports).some((name) => replaced[name as keyof StackPorts] !== ports[name as keyof StackPorts]) ? replaced : undefined;
}
