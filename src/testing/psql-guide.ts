import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const blocks = /^```sql\n([\s\S]*?)^```\n\n```text\n([\s\S]*?)^```$/gm;

export interface GuideStep {
  readonly statements: string;
  /** What the document says that they print. */
  readonly printed: string;
}

/** The blocks of SQL of a guide, each with the block of output that follows it. */
export function guideSteps(markdown: string): GuideStep[] {
  return [...markdown.matchAll(blocks)].map(([, statements, printed]) => ({ statements: statements!, printed: printed! }));
}

/** The guide with the given output in place of its own, block by block. */
export function withOutput(markdown: string, outputs: readonly string[]): string {
  let index = 0;
  return markdown.replace(blocks, (_, statements: string) => `\`\`\`sql\n${statements}\`\`\`\n\n\`\`\`text\n${outputs[index++]!}\`\`\``);
}

/** Runs the steps in one session of psql. Returns what each prints. Throws if a statement fails. */
export async function playGuide(steps: readonly GuideStep[], databaseUrl: string): Promise<string[]> {
  const end = '--- end of step ---';
  const script = steps.map(({ statements }) => `${statements}\\echo '${end}'\n`).join('');
  // --quiet leaves out what only says that a statement was executed, such as BEGIN.
  const running = promisify(execFile)('psql', ['--no-psqlrc', '--quiet', '--set', 'ON_ERROR_STOP=on', databaseUrl]);
  running.child.stdin!.end(script);
  return (await running).stdout.split(`${end}\n`).slice(0, -1).map((output) => `${output.replace(/ +$/gm, '').replace(/^\n+|\n+$/g, '')}\n`);
}
