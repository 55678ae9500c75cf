export interface TapTest {
  readonly number: number;
  readonly name: string;
  readonly passed: boolean;
  /** The lines after it that begin with `#`. */
  readonly diagnostics: string;
}

export interface TapReport {
  /** Undefined if the output has no plan. */
  readonly planned: number | undefined;
  readonly tests: readonly TapTest[];
}

/** Reads the Test Anything Protocol; lines that are none of it are left out. */
export function parseTap(output: string): TapReport {
  let planned: number | undefined;
  const tests: TapTest[] = [];
  for (const line of output.split('\n')) {
    const plan = /^1\.\.(\d+)$/.exec(line);
    const test = /^(not )?ok (\d+)(?: - (.*))?$/.exec(line);
    const last = tests.at(-1);
    if (plan !== null) {
      planned = Number(plan[1]);
    } else if (test !== null) {
      tests.push({ number: Number(test[2]), name: test[3] ?? '', passed: test[1] === undefined, diagnostics: '' });
    } else if (line.startsWith('#') && last !== undefined) {
      tests[tests.length - 1] = { ...last, diagnostics: `${last.diagnostics}${line}\n` };
    }
  }
  return { planned, tests };
}

/** What is wrong with a report as a whole: tests that its plan knows and that did not run, or the other way round. */
export function planProblem({ planned, tests }: TapReport): string | undefined {
  if (planned === undefined) return 'there is no plan';
  if (planned !== tests.length) return `${planned} tests are planned, and ${tests.length} ran`;
  return tests.some(({ number }, index) => number !== index + 1) ? 'the tests are not numbered 1, 2, 3 …' : undefined;
}
