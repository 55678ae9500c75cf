import type { Catalogue } from '../kernel/message.ts';
import { uuidPattern } from '../kernel/patterns.ts';

export const orderCatalogue = {
  aggregateType: 'order',
  aggregateIdPattern: uuidPattern,
  commands: {
    PlaceOrder: { schemaVersion: 1, sentBy: ['owner', 'member', 'guest'] },
    ApproveOrder: { schemaVersion: 1, sentBy: ['owner'] },
    CancelOrder: { schemaVersion: 1, sentBy: ['owner', 'member', 'guest'] },
    RecordDelivery: { schemaVersion: 1, sentBy: ['owner', 'member'] },
    ConfirmOrder: { schemaVersion: 1, sentBy: ['system'] },
    RejectOrder: { schemaVersion: 1, sentBy: ['system'] },
  },
  events: {
    OrderPlaced: { schemaVersion: 1 },
    OrderApproved: { schemaVersion: 1 },
    OrderCancelled: { schemaVersion: 1 },
    OrderDelivered: { schemaVersion: 1 },
    OrderConfirmed: { schemaVersion: 1 },
    OrderRejected: { schemaVersion: 1 },
  },
} as const satisfies Catalogue;
