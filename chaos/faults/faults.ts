import { clockFaults } from './clock.ts';
import { clusterFaults } from './cluster.ts';
import { failPointFaults } from './fail-points.ts';
import type { Fault } from './fault.ts';
import { networkFaults } from './network.ts';
import { postgresFaults } from './postgres.ts';
import { processFaults } from './processes.ts';
import { queueFaults } from './queue.ts';
import { supplierFaults } from './supplier.ts';
import { temporalFaults } from './temporal.ts';

/** By name. */
export const faults: ReadonlyMap<string, Fault> = new Map(
  [processFaults, failPointFaults, networkFaults, postgresFaults, temporalFaults, clusterFaults, queueFaults, supplierFaults, clockFaults]
    .flat()
    .map((fault) => [fault.name, fault]),
);
