/** The types of the generated definitions, in the part that the functions use. */
import * as generated from './commands.generated.js';

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

export interface CommandDefinition {
  readonly aggregateType: string;
  readonly aggregateIdPattern: string;
  readonly sentBy: readonly ('owner' | 'member' | 'guest' | 'system')[];
  readonly schemaVersion: number;
  readonly payload: {
    safeParse(input: unknown): { success: true } | { success: false; error: { issues: readonly Issue[] } };
  };
}

export const findCommandDefinition: (type: string) => CommandDefinition | undefined = generated.findCommandDefinition;
