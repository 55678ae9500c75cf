export { commandWorkflow } from './command-workflow.ts';
export { processWorkflow } from './process-workflow.ts';
