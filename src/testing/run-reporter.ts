import type { Reporter, TestModule, TestSpecification } from 'vitest/node';

/** Of lines that stay, as in the log of a CI. */
const progressEveryMs = 10_000;

/**
 * Beside vitest's own reporter: how far the run is (a terminal sees that in vitest's own window), and at the end what was left out, and
 * why. The reasons come from `needs()`.
 */
export default class RunReporter implements Reporter {
  readonly #isTerminal = process.stdout.isTTY;
  #beganAt = 0;
  #toldAt = -Infinity;
  #files = 0;
  #filesEnded = 0;
  #tests = 0;
  #failed = 0;
  #skipped = 0;

  onTestRunStart(specifications: readonly TestSpecification[]): void {
    this.#beganAt = performance.now();
    this.#files = specifications.length;
  }

  onTestModuleEnd(module: TestModule): void {
    this.#filesEnded++;
    for (const test of module.children.allTests()) {
      this.#tests++;
      if (test.result().state === 'failed') this.#failed++;
      if (test.result().state === 'skipped') this.#skipped++;
    }
    const now = performance.now();
    if (this.#isTerminal || (now - this.#toldAt < progressEveryMs && this.#filesEnded < this.#files)) return;
    this.#toldAt = now;
    const seconds = Math.round((now - this.#beganAt) / 1000);
    console.log(`Progress: ${this.#filesEnded} of ${this.#files} files, ${this.#tests} tests, ${this.#failed} failed, ${this.#skipped} left out, ${seconds} s`);
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = new Map<string, number>();
    for (const module of modules) {
      for (const test of module.children.allTests('skipped')) {
        const result = test.result();
        const { whySkipped = (result.state === 'skipped' && result.note) || 'not chosen' } = test.meta();
        counts.set(whySkipped, (counts.get(whySkipped) ?? 0) + 1);
      }
    }
    if (counts.size === 0) {
      console.log('Left out: nothing.');
      return;
    }
    console.log('Left out:');
    for (const [why, count] of [...counts].toSorted(([a], [b]) => a.localeCompare(b))) console.log(`  ${String(count).padStart(4)}  ${why}`);
  }
}
