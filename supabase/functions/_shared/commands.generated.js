// Generated from src/domain by `npm run generate`. Do not edit.
import { z } from "zod";
// src/domain/kernel/message.ts
/** Gives each command of the catalogue the schema of its payload, and by default Temporal. */
function defineCommands({ aggregateType, aggregateIdPattern, commands }, schemas) {
	const shared = {
		aggregateType,
		aggregateIdPattern,
		execution: "temporal"
	};
	const definitions = Object.entries(commands).map(([type, entry]) => [type, {
		...shared,
		...entry,
		payload: schemas[type]
	}]);
	return Object.fromEntries(definitions);
}
// src/domain/kernel/patterns.ts
/** Patterns that the messages of several slices share. Anchored, and read alike by PostgreSQL and JavaScript. */
const uuidPattern = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$";
// src/domain/budget/catalogue.ts
const budgetCatalogue = {
	aggregateType: "budget",
	aggregateIdPattern: "^[a-z0-9][a-z0-9-]{0,63}$",
	commands: {
		OpenBudget: {
			schemaVersion: 1,
			sentBy: ["owner"]
		},
		ChangeBudgetLimit: {
			schemaVersion: 1,
			sentBy: ["owner"]
		},
		ReserveBudget: {
			schemaVersion: 1,
			sentBy: ["system"]
		},
		SpendBudget: {
			schemaVersion: 1,
			sentBy: ["system"]
		},
		ReleaseBudget: {
			schemaVersion: 1,
			sentBy: ["system"]
		}
	},
	events: {
		BudgetOpened: { schemaVersion: 1 },
		BudgetLimitChanged: { schemaVersion: 1 },
		BudgetReserved: { schemaVersion: 1 },
		BudgetReservationRefused: { schemaVersion: 1 },
		BudgetSpent: { schemaVersion: 1 },
		BudgetReleased: { schemaVersion: 1 }
	}
};
// src/domain/budget/messages.ts
const budgetId = z.string().regex(new RegExp(budgetCatalogue.aggregateIdPattern));
/** Money in cents: an integer from 0 to 2^53−1. */
const cents = z.int().min(0);
const orderId = z.string().regex(new RegExp(uuidPattern));
const budgetCommands = defineCommands(budgetCatalogue, {
	OpenBudget: z.strictObject({
		name: z.string().min(1).max(200),
		limit: cents
	}),
	ChangeBudgetLimit: z.strictObject({ limit: cents }),
	ReserveBudget: z.strictObject({
		orderId,
		amount: cents
	}),
	SpendBudget: z.strictObject({ orderId }),
	ReleaseBudget: z.strictObject({ orderId })
});
// src/domain/order/catalogue.ts
const orderCatalogue = {
	aggregateType: "order",
	aggregateIdPattern: uuidPattern,
	commands: {
		PlaceOrder: {
			schemaVersion: 1,
			sentBy: [
				"owner",
				"member",
				"guest"
			]
		},
		ApproveOrder: {
			schemaVersion: 1,
			sentBy: ["owner"]
		},
		CancelOrder: {
			schemaVersion: 1,
			sentBy: [
				"owner",
				"member",
				"guest"
			]
		},
		RecordDelivery: {
			schemaVersion: 1,
			sentBy: ["owner", "member"]
		},
		ConfirmOrder: {
			schemaVersion: 1,
			sentBy: ["system"]
		},
		RejectOrder: {
			schemaVersion: 1,
			sentBy: ["system"]
		}
	},
	events: {
		OrderPlaced: { schemaVersion: 1 },
		OrderApproved: { schemaVersion: 1 },
		OrderCancelled: { schemaVersion: 1 },
		OrderDelivered: { schemaVersion: 1 },
		OrderConfirmed: { schemaVersion: 1 },
		OrderRejected: { schemaVersion: 1 }
	}
};
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
	...defineCommands(orderCatalogue, {
		PlaceOrder: z.strictObject({
			budgetId,
			lines: z.array(line).min(1).max(100)
		}),
		ApproveOrder: nothing,
		CancelOrder: z.strictObject({ reason: z.exactOptional(reason) }),
		RecordDelivery: nothing,
		ConfirmOrder: nothing,
		RejectOrder: z.strictObject({ reason })
	}),
	...budgetCommands
};
function findCommandDefinition(type) {
	return Object.hasOwn(commandDefinitions, type) ? commandDefinitions[type] : void 0;
}
export { commandDefinitions, findCommandDefinition };
