import { z } from 'zod';
import { budgetId } from '../budget/messages.ts';
import { defineCommands, defineEvents, type MessageOf } from '../kernel/message.ts';
import { orderCatalogue } from './catalogue.ts';

const line = z.strictObject({
  item: z.string().min(1).max(200),
  quantity: z.int().min(1).max(1000),
  /** Cents. */
  unitPrice: z.int().min(0).max(1_000_000_000),
});
const reason = z.string().min(1).max(500);
const nothing = z.strictObject({});

export const orderCommands = defineCommands(orderCatalogue, {
  PlaceOrder: z.strictObject({ budgetId, lines: z.array(line).min(1).max(100) }),
  ApproveOrder: nothing,
  CancelOrder: z.strictObject({ reason: z.exactOptional(reason) }),
  RecordDelivery: nothing,
  ConfirmOrder: nothing,
  RejectOrder: z.strictObject({ reason }),
});

export type OrderCommand = MessageOf<typeof orderCommands>;
export type OrderLine = z.infer<typeof line>;

export const orderEvents = defineEvents(orderCatalogue, {
  OrderPlaced: z.strictObject({
    budgetId,
    lines: z.array(line),
    /** Cents. */
    total: z.int(),
    /** The user's id. */
    placedBy: z.string(),
    needsApproval: z.boolean(),
  }),
  OrderApproved: nothing,
  OrderCancelled: z.strictObject({ reason: z.exactOptional(reason), budgetId }),
  OrderDelivered: nothing,
  OrderConfirmed: nothing,
  OrderRejected: z.strictObject({ reason }),
});

export type OrderEvent = MessageOf<typeof orderEvents>;
