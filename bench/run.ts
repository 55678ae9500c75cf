import { parseArgs } from 'node:util';
import { flow } from './flow.ts';
import { describeMachine } from './machine.ts';

const benchmarks = { flow };
type Name = keyof typeof benchmarks;

const help = `Usage: npm run bench -- [name …] [--quick]

Runs the named benchmarks, or all of them, on servers of their own, and prints one table.
  flow    one command at a time over HTTP with Prefer: wait, through the whole flow

  --quick   a tenth of the work, to see whether it runs
  --help    this text`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { help: { type: 'boolean', default: false }, quick: { type: 'boolean', default: false } },
});
const names = positionals.length === 0 ? (Object.keys(benchmarks) as Name[]) : positionals;
const unknown = names.filter((name) => !Object.hasOwn(benchmarks, name));

if (values.help) {
  console.log(help);
} else if (unknown.length > 0) {
  console.error(`There is no benchmark ${unknown.join(', ')}.\n\n${help}`);
  process.exitCode = 2;
} else {
  console.log(describeMachine());
  const rows: Record<string, string>[] = [];
  for (const name of names as Name[]) rows.push(...(await benchmarks[name]({ scale: values.quick ? 0.1 : 1 })));
  console.table(rows);
}
