import { parseArgs } from 'node:util';
import { benchmarks } from './benchmarks.ts';
import { describeMachine } from './machine.ts';
import { asMarkdown, type Row } from './row.ts';

const list = [...benchmarks].map(([name, { about }]) => `  ${name.padEnd(13)} ${about}`).join('\n');
const help = `Usage: npm run bench -- [name …] [--quick] [--markdown]

Runs the named benchmarks, or all of them, on servers of their own, and prints one table.
${list}

  --quick       a twentieth of the work, to see whether it runs
  --markdown    the table as docs/benchmarks.md has it
  --help        this text`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    help: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    markdown: { type: 'boolean', default: false },
  },
});
const names = positionals.length === 0 ? [...benchmarks.keys()] : positionals;
const unknown = names.filter((name) => !benchmarks.has(name));

if (values.help) {
  console.log(help);
} else if (unknown.length > 0) {
  console.error(`There is no benchmark ${unknown.join(', ')}.\n\n${help}`);
  process.exitCode = 2;
} else {
  console.log(`${await describeMachine()}\n`);
  const rows: Row[] = [];
  try {
    for (const name of names) {
      console.error(`${name} …`);
      rows.push(...(await benchmarks.get(name)!.run({ scale: values.quick ? 0.05 : 1 })));
    }
  } finally {
    // If one fails, what the others have found in many minutes is not lost.
    if (values.markdown) console.log(asMarkdown(rows));
    else console.table(rows);
  }
}
