import { StackError } from './stack-error.ts';

/** Runs a command and ends with the exit code that it returns; with 1 and the words alone if it throws a `StackError`. */
export async function endWithWords(command: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await command();
  } catch (error) {
    if (!(error instanceof StackError)) throw error;
    console.error(`\n${error.message}\n  What to do: ${error.remedy}\n`);
    process.exitCode = 1;
  }
}
