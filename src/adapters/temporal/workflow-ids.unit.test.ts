import { expect, it } from 'vitest';
import { temporalScheduleId } from './schedules.ts';
import { commandWorkflowId, processWorkflowId } from './workflow-starts.ts';

const [rose, thorn] = ['0197a000-0000-7000-8000-000000000001', '0197a000-0000-7000-8000-000000000002'];
/** Ids as members may choose them if no pattern forbids it, made to look like those of others. */
const chosen = [
  '52e4bc3d-846e-4591-a403-ff019f59331f', 'x', 'command', 'process/order-fulfilment/x', '/x', 'x/', `../../${thorn}/command/x`, `${thorn}/command/x`, 'schedule/x', 'x-2026-12-01T06:00:00Z',
];

it('no id that a member chooses makes the workflow of one tenant, or of one kind, that of another', () => {
  const all = [rose, thorn].flatMap((tenantId) =>
    chosen.flatMap((id) => [
      [`${tenantId}/command/`, commandWorkflowId({ tenantId, commandId: id })],
      [`${tenantId}/process/order-fulfilment/`, processWorkflowId({ tenantId, process: 'order-fulfilment', key: id })],
      [`${tenantId}/schedule/`, temporalScheduleId({ tenantId, scheduleId: id })],
    ] as const),
  );
  expect(new Set(all.map(([, id]) => id)).size).toBe(all.length);
  expect(all.filter(([prefix, id]) => !id.startsWith(prefix))).toEqual([]);
});
