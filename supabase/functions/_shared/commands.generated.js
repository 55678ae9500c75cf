// Generated from src/domain by `npm run generate`. Do not edit.
import { z } from "zod";
// src/domain/kernel/message.ts
/** Completes a slice's commands with what they share: their aggregate, and by default schema version 1 and Temporal. */
function defineCommands(aggregate, shapes) {
	const definitions = Object.entries(shapes).map(([type, shape]) => [type, {
		aggregateType: aggregate.type,
		aggregateIdPattern: aggregate.idPattern,
		schemaVersion: 1,
		execution: "temporal",
		...shape
	}]);
	return Object.fromEntries(definitions);
}
// src/domain/kernel/patterns.ts
/** Patterns that the messages of several slices share. Anchored, and read alike by PostgreSQL and JavaScript. */
const uuidPattern = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$";
// src/domain/budget/messages.ts
const budgetIdPattern = "^[a-z0-9][a-z0-9-]{0,63}$";
const budgetId = z.string().regex(new RegExp(budgetIdPattern));
/** Money in cents: an integer from 0 to 2^53−1. */
const cents = z.int().min(0);
const orderId = z.string().regex(new RegExp(uuidPattern));
const budgetCommands = defineCommands({
	type: "budget",
	idPattern: budgetIdPattern
}, {
	OpenBudget: {
		sentBy: ["owner"],
		payload: z.strictObject({
			name: z.string().min(1).max(200),
			limit: cents
		})
	},
	ChangeBudgetLimit: {
		sentBy: ["owner"],
		payload: z.strictObject({ limit: cents })
	},
	ReserveBudget: {
		sentBy: ["system"],
		payload: z.strictObject({
			orderId,
			amount: cents
		})
	},
	SpendBudget: {
		sentBy: ["system"],
		payload: z.strictObject({ orderId })
	},
	ReleaseBudget: {
		sentBy: ["system"],
		payload: z.strictObject({ orderId })
	}
});
// src/domain/order/messages.ts
const line = z.strictObject({
	item: z.string().min(1).max(200),
	quantity: z.int().min(1).max(1e3),
	/** Cents. */
	unitPrice: z.int().min(0).max(1e9)
});
const reason = z.string().min(1).max(500);
const nothing = z.strictObject({});
// src/domain/commands.ts
/** Every command by its type: the one definition behind the Edge Function, SQL's `message_types`, the worker and the client. */
const commandDefinitions = {
	...defineCommands({
		type: "order",
		idPattern: uuidPattern
	}, {
		PlaceOrder: {
			sentBy: [
				"owner",
				"member",
				"guest"
			],
			payload: z.strictObject({
				budgetId,
				lines: z.array(line).min(1).max(100)
			})
		},
		ApproveOrder: {
			sentBy: ["owner"],
			payload: nothing
		},
		CancelOrder: {
			sentBy: [
				"owner",
				"member",
				"guest"
			],
			payload: z.strictObject({ reason: z.exactOptional(reason) })
		},
		RecordDelivery: {
			sentBy: ["owner", "member"],
			payload: nothing
		},
		ConfirmOrder: {
			sentBy: ["system"],
			payload: nothing
		},
		RejectOrder: {
			sentBy: ["system"],
			payload: z.strictObject({ reason })
		}
	}),
	...budgetCommands
};
function findCommandDefinition(type) {
	return Object.hasOwn(commandDefinitions, type) ? commandDefinitions[type] : void 0;
}
export { commandDefinitions, findCommandDefinition };
