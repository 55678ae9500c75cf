import { posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { codeSpans, proseOf } from './markdown.ts';
import { foldersOf, readFromRoot, trackedFiles } from './tracked-files.ts';

interface Package {
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

const files = trackedFiles();
const there = new Set([...files, ...foldersOf(files)]);
const documents = files.filter((path) => path.endsWith('.md')).map((path) => ({ path, text: readFromRoot(path) }));
const packageJson = JSON.parse(readFromRoot('package.json')) as Package;

describe('what a document points to is there', () => {
  test('behind every relative link', () => {
    const links = documents.flatMap(({ path, text }) =>
      [...proseOf(text).matchAll(/\]\(([^)\s]+)\)/g)]
        .map(([, target]) => target!)
        .filter((target) => !/^(https?:|mailto:|#)/.test(target))
        .map((target) => ({ in: path, target: posix.join(posix.dirname(path), target.replace(/#.*/, '')).replace(/\/$/, '') })),
    );
    expect(links).toContainEqual({ in: 'README.md', target: 'docs/current.md' });
    expect(links.filter(({ target }) => !there.has(target))).toEqual([]);
  });

  test('at every path in backticks', () => {
    const roots = [...there].filter((path) => !path.includes('/'));
    // graphile-migrate makes it at the first commit of a migration.
    const madeLater = 'sql/committed';
    const paths = documents.flatMap(({ path, text }) =>
      codeSpans(proseOf(text))
        .filter((span) => /^[\w.-]+(\/[\w.-]+)+\/?$/.test(span) && roots.includes(span.split('/')[0]!))
        .map((span) => ({ in: path, target: span.replace(/\/$/, '') })),
    );
    expect(paths).toContainEqual({ in: 'CONTRIBUTING.md', target: 'docs/adr' });
    expect(paths.filter(({ target }) => target !== madeLater && !there.has(target))).toEqual([]);
  });
});

describe('npm scripts', () => {
  const runByNpm = new Set(['prestart', 'pretest']);

  test('that a document names are in package.json', () => {
    const command = /npm (?:run (?:-\S+ )*|(?=start|test))([\w:-]+)/g;
    const named = documents.flatMap(({ path, text }) =>
      [...text.matchAll(command)].map(([, script]) => ({ in: path, script: script! })),
    );
    expect(named).toContainEqual({ in: 'README.md', script: 'start' });
    expect(named.filter(({ script }) => !Object.hasOwn(packageJson.scripts, script))).toEqual([]);
  });

  test('are all explained in the tables of README.md or CONTRIBUTING.md', () => {
    const rows = ['README.md', 'CONTRIBUTING.md'].flatMap((path) => readFromRoot(path).match(/^\| .*$/gm)!);
    const commands = codeSpans(rows.join('\n')).flatMap((span) => span.split(' && '));
    const explained = commands.map((command) => command.replace(/^npm (run )?/, '').split(' ')[0]);
    const scripts = Object.keys(packageJson.scripts).filter((script) => !runByNpm.has(script));
    expect(scripts).toContain('start');
    expect(scripts.filter((script) => !explained.includes(script))).toEqual([]);
  });
});

describe('environment variables', () => {
  const sources = files.filter((path) => /^(src|supabase\/functions)\/.*(?<!\.test)\.ts$/.test(path));
  const code = sources.map(readFromRoot).join('\n');
  const listed = readFromRoot('.env.example').match(/(?<=^(?:# )?)[A-Z][A-Z_]+(?==)/gm)!;

  test('that .env.example names are read by our code, by Compose, or by the library that they are for', () => {
    const libraries = ['@temporalio/envconfig/lib/envconfig-toml.js', 'graphile-migrate/dist/settings.js'];
    const others = ['docker-compose.yml', ...libraries.map((path) => `node_modules/${path}`)];
    const readers = [code, ...others.map(readFromRoot)].join('\n');
    expect(listed).toContain('TEMPORAL_ADDRESS');
    expect(listed.filter((name) => !new RegExp(`\\b${name}\\b`).test(readers))).toEqual([]);
  });

  test('of our own are explained in .env.example, README.md or CONTRIBUTING.md', () => {
    const own = new Set(code.match(/\bINTENT_[A-Z_]+\b/g));
    const explained = ['README.md', 'CONTRIBUTING.md'].flatMap((path) => readFromRoot(path).match(/\bINTENT_[A-Z_]+\b/g)!);
    expect(own).toContain('INTENT_DIR');
    expect([...own].filter((name) => !listed.includes(name) && !explained.includes(name))).toEqual([]);
  });
});

describe('docs/dependencies.md', () => {
  const text = readFromRoot('docs/dependencies.md');
  const { dependencies, optionalDependencies, devDependencies } = packageJson;
  const versions: Readonly<Record<string, string>> = { ...dependencies, ...optionalDependencies, ...devDependencies };
  const deno = JSON.parse(readFromRoot('supabase/functions/command/deno.json')) as { imports: Readonly<Record<string, string>> };

  test('gives the reason of every package', () => {
    const named = codeSpans(text);
    expect([...Object.keys(versions), ...Object.keys(deno.imports)].filter((name) => !named.includes(name))).toEqual([]);
  });

  test('is right that the Edge Function uses the same versions as the rest', () => {
    const shared = Object.entries(deno.imports).filter(([name]) => Object.hasOwn(versions, name));
    expect(shared.map(([name]) => name)).toContain('zod');
    expect(shared.filter(([name, specifier]) => specifier !== `npm:${name}@${versions[name]}`)).toEqual([]);
  });
});

test('the decision records are numbered without a gap, and each says whether it is decided', () => {
  const records = files.filter((path) => path.startsWith('docs/adr/')).toSorted();
  expect(records).not.toEqual([]);
  const wrong = records.filter((path, index) => {
    const name = new RegExp(`/${String(index + 1).padStart(4, '0')}-[a-z0-9-]+\\.md$`);
    const beginning = new RegExp(`^# ${index + 1}\\. .+\\n\\n\\*\\*(Decided|Open)\\b`);
    return !name.test(path) || !beginning.test(readFromRoot(path));
  });
  expect(wrong).toEqual([]);
});

test('no file names a folder of the machine that it was written on', () => {
  const somebodysFolder = /(?<![\w.@-])\/(?:home|Users|root|work)\/\w/;
  expect(['', 'root', 'clone'].join('/')).toMatch(somebodysFolder);
  const lines = files.flatMap((path) => readFromRoot(path).split('\n').map((line, index) => `${path}:${index + 1}: ${line}`));
  expect(lines.filter((line) => somebodysFolder.test(line))).toEqual([]);
});
