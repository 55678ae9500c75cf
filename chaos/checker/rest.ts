import type { Evidence } from './evidence.ts';
import { settledStatuses } from './evidence.ts';
import { commandKey } from './group.ts';
import { type Violation, violation } from './violation.ts';

/** F: after the fault heals everything comes to its end without a person. */
export function checkRest({ commands, processes, orders }: Evidence): Violation[] {
  return [
    ...commands
      .filter(({ status, isDue }) => isDue && !settledStatuses.includes(status))
      .map((row) => violation('F', 'command stuck', `${commandKey(row)} ${row.type} is ${row.status}`)),
    ...commands
      .filter(({ status }) => status === 'failed')
      .map((row) => violation('F', 'command dead-lettered', `${commandKey(row)} ${row.type}: ${JSON.stringify(row.error)}`)),
    ...processes
      .filter(({ status, waiting, openCalls }) => status === 'failed' || waiting > 0 || openCalls > 0)
      .map(({ tenantId, process, key, status, waiting, openCalls }) => {
        const left = `${waiting} reactions wait, ${openCalls} calls are open`;
        return violation('F', 'process stuck', `${tenantId}/${process}/${key} is ${status}, ${left}`);
      }),
    ...orders
      .filter(({ status }) => status === 'placed')
      .map(({ tenantId, orderId }) => violation('F', 'order stuck', `${tenantId}/${orderId} is still placed`)),
  ];
}
