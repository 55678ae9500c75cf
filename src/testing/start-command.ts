import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { endWithFile } from './end-with-file.ts';

const command = fileURLToPath(new URL('../cli/intent.ts', import.meta.url));
const root = fileURLToPath(new URL('../../', import.meta.url));

export interface StartCommand {
  readonly pid: number;
  /** Resolves with the first line that holds the text, earlier or later; rejects when the command ends without it. */
  line(text: string): Promise<string>;
  kill(signal: NodeJS.Signals): void;
  /** What it printed, on both streams, and how it ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly output: string }>;
}

/** `intent start` as a person types it, with its data in the given directory. */
export function runStartCommand(directory: string, ...args: string[]): StartCommand {
  return runStartCommandWith({}, directory, ...args);
}

/** The same, with other variables in its environment. */
export function runStartCommandWith(env: NodeJS.ProcessEnv, directory: string, ...args: string[]): StartCommand {
  return follow(process.execPath, [command, 'start', ...args], { ...env, INTENT_DIR: directory });
}

/** `npm start`: signals go to npm. It has ended when all that writes to its output has. */
export function runNpmStart(directory: string, ...args: string[]): StartCommand {
  return follow('npm', ['start', '--', ...args], { INTENT_DIR: directory });
}

function follow(program: string, args: readonly string[], env: NodeJS.ProcessEnv): StartCommand {
  const child = spawn(program, args, { cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  endWithFile(child);
  const lines: string[] = [];
  const waiting = new Map<string, (line: string) => void>();
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      for (const [text, resolve] of waiting) if (line.includes(text)) resolve(line);
    });
  }
  const ended = once(child, 'close').then(([code]: (number | null)[]) => ({ code: code ?? null, output: lines.join('\n') }));

  return {
    pid: child.pid!,
    kill: (signal) => void child.kill(signal),
    ended,
    line(text) {
      const earlier = lines.find((line) => line.includes(text));
      if (earlier !== undefined) return Promise.resolve(earlier);
      const { promise, resolve } = Promise.withResolvers<string>();
      waiting.set(text, resolve);
      const without = ended.then(({ output }) => Promise.reject(new Error(`It ended without saying "${text}":\n${output}`)));
      return Promise.race([promise, without]);
    },
  };
}
