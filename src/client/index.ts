export type { CommandResult, CommandToSend } from './commands.ts';
export { CommandError, FollowError } from './errors.ts';
export type { Followed, Following, FollowOptions } from './follow.ts';
export { createIntentClient, type IntentClient } from './intent-client.ts';
export type { SendOptions } from './send.ts';
export { uuidV7 } from './uuid-v7.ts';
