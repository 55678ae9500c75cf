import type { ProcessManager } from './kernel/process.ts';
import { createOrderFulfilment } from './order-fulfilment/order-fulfilment.ts';

/** One line a process manager. */
export const processManagers: readonly ProcessManager[] = [createOrderFulfilment()];

const managersByName: ReadonlyMap<string, ProcessManager> = new Map(processManagers.map((manager) => [manager.name, manager]));

export function findProcessManager(name: string): ProcessManager | undefined {
  return managersByName.get(name);
}
