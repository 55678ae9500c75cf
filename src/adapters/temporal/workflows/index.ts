export { commandWorkflow } from './command-workflow.ts';
export { processWorkflow } from './process-workflow.ts';
export { scheduledCommandWorkflow } from './scheduled-command-workflow.ts';
