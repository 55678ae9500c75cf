import { z } from 'zod';
import { budgetId } from '../budget/messages.ts';
import { type CommandOf, defineCommands } from '../kernel/message.ts';
import { uuidPattern } from '../kernel/patterns.ts';

const line = z.strictObject({
  item: z.string().min(1).max(200),
  quantity: z.int().min(1).max(1000),
  /** Cents. */
  unitPrice: z.int().min(0).max(1_000_000_000),
});
const reason = z.string().min(1).max(500);
const nothing = z.strictObject({});

export const orderCommands = defineCommands(
  { type: 'order', idPattern: uuidPattern },
  {
    PlaceOrder: {
      sentBy: ['owner', 'member', 'guest'],
      payload: z.strictObject({ budgetId, lines: z.array(line).min(1).max(100) }),
    },
    ApproveOrder: { sentBy: ['owner'], payload: nothing },
    CancelOrder: { sentBy: ['owner', 'member', 'guest'], payload: z.strictObject({ reason: z.exactOptional(reason) }) },
    RecordDelivery: { sentBy: ['owner', 'member'], payload: nothing },
    ConfirmOrder: { sentBy: ['system'], payload: nothing },
    RejectOrder: { sentBy: ['system'], payload: z.strictObject({ reason }) },
  },
);

export type OrderCommand = CommandOf<typeof orderCommands>;
export type OrderLine = z.infer<typeof line>;
type Nothing = Readonly<Record<string, never>>;

export type OrderEvent =
  | {
      readonly type: 'OrderPlaced';
      readonly payload: {
        readonly budgetId: string;
        readonly lines: readonly OrderLine[];
        /** Cents. */
        readonly total: number;
        /** The user's id. */
        readonly placedBy: string;
        readonly needsApproval: boolean;
      };
    }
  | { readonly type: 'OrderApproved'; readonly payload: Nothing }
  | { readonly type: 'OrderCancelled'; readonly payload: { readonly reason?: string; readonly budgetId: string } }
  | { readonly type: 'OrderDelivered'; readonly payload: Nothing }
  | { readonly type: 'OrderConfirmed'; readonly payload: Nothing }
  | { readonly type: 'OrderRejected'; readonly payload: { readonly reason: string } };
