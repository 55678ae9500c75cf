import { choosePort } from './ports.ts';

/** The ports of one stack on 127.0.0.1. Those that people use come first; the rest is between the parts. */
export interface StackPorts {
  readonly api: number;
  readonly database: number;
  readonly temporal: number;
  readonly temporalUi: number;
  readonly postgrest: number;
  readonly postgrestAdmin: number;
  readonly edgeFunction: number;
  readonly workerHealth: number;
}

export const preferredPorts: StackPorts = {
  api: 54321,
  database: 54322,
  temporal: 7233,
  temporalUi: 8233,
  postgrest: 54331,
  postgrestAdmin: 54332,
  edgeFunction: 54333,
  workerHealth: 54334,
};

/** The preferred ports, and the next free one for each that is in use. Throws `StackError` where there are none. */
export async function chooseStackPorts(preferred: StackPorts, log: (line: string) => void): Promise<StackPorts> {
  const chosen = { ...preferred };
  for (const name of Object.keys(preferred) as (keyof StackPorts)[]) {
    chosen[name] = await choosePort(preferred[name]);
    if (chosen[name] !== preferred[name]) log(`  port ${preferred[name]} is in use: taking ${chosen[name]} instead`);
  }
  return chosen;
}
