export { commandWorkflow } from './command-workflow.ts';
