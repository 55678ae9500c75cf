import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files that take longest, so that none of them begins when the others have ended. Only the order depends on this list. */
export const slowFiles: readonly string[] = [
  'src/main/promoted-standby.int.test.ts',
  'src/client/channel-faults.int.test.ts',
  'src/cli/start.e2e.test.ts',
  'src/adapters/temporal/killed-worker.int.test.ts',
  'src/main/database-settings.int.test.ts',
  'chaos/short-run.int.test.ts',
  'src/local/temporal/obtain-by-pip.int.test.ts',
  'src/cli/intent.int.test.ts',
  'src/testing/sql/sql-tests.int.test.ts',
  'src/testing/hosted-database.int.test.ts',
  'src/client/restored-database.int.test.ts',
  'src/cli/start-ports.e2e.test.ts',
  'src/main/other-schema.int.test.ts',
  'src/application/long-streams.int.test.ts',
  'src/adapters/temporal/dispatcher.int.test.ts',
  'src/cli/start-without-temporal.e2e.test.ts',
  'examples/first-command.e2e.test.ts',
  'src/adapters/temporal/engine.int.test.ts',
  'src/main/broken-disk.int.test.ts',
  'src/main/processes.int.test.ts',
  'src/adapters/temporal/process-trouble.int.test.ts',
  'src/testing/migrations-populated.int.test.ts',
  'src/client/wrong-clock.int.test.ts',
  'src/main/deaf-temporal.int.test.ts',
  'src/main/hints.int.test.ts',
  'src/testing/edge/rotated-keys.int.test.ts',
  'src/adapters/temporal/server-restarts.int.test.ts',
  'src/local/temporal/start-temporal.int.test.ts',
  'src/main/poolers.int.test.ts',
  'src/adapters/postgres/append-concurrency.int.test.ts',
  'src/client/follow-tenant.int.test.ts',
  'src/client/follow.int.test.ts',
  'scripts/db-commit.int.test.ts',
];

/** Vitest's order, which knows the durations only once it has run here, with the slowest files before it. */
export class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const place = slowFiles.indexOf(relative(this.ctx.config.root, moduleId));
      return place < 0 ? slowFiles.length : place;
    };
    // oxlint-disable-next-line unicorn/no-array-sort -- the sequencer's method, not an array's
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => rank(a) - rank(b));
  }
}
