import { describe, expect, it } from 'vitest';
import { section } from './markdown.ts';
import { readFromRoot, trackedFiles } from './tracked-files.ts';

const recipe = section(readFromRoot('README.md'), 'A real Supabase project, a real Temporal');
const config = readFromRoot('supabase/config.toml');
const valueOf = (key: string) => new RegExp(`^${key} = (.+)$`, 'm').exec(config)?.[1];

describe("the settings of a hosted project's Auth and Data API", () => {
  it('are pushed by nobody: that would reset those that are not ours', () => {
    const texts = trackedFiles().filter((path) => /\.(md|toml|ts|sh|yml)$/.test(path) && !path.endsWith('.test.ts')).map((path) => ({ path, text: readFromRoot(path) }));
    const mentions = texts.flatMap(({ path, text }) => [...text.matchAll(/.{0,10}`supabase config push`/g)].map(([mention]) => ({ path, mention })));
    expect(mentions.length).toBeGreaterThan(1);
    expect(mentions.filter(({ path, mention }) => !mention.startsWith('Never') && !mention.includes(' Never') && path !== 'CHANGELOG.md')).toEqual([]);
  });

  it('are set by hand to what the file says', () => {
    expect(recipe).toContain(`live ${valueOf('jwt_expiry')} seconds`);
    expect(valueOf('schemas')).toBe('["api"]');
    expect(recipe).toContain('expose the schema `api`');
    const [schema, hook] = valueOf('uri')!.replaceAll('"', '').split('/').slice(-2);
    expect(recipe).toContain(`the function \`${hook}\` of the schema \`${schema}\``);
  });

  it.each(['PostgreSQL 17', 'session', 'IPv6', 'Inspector', 'private channels only', 'select id from auth.users', 'examples/first-command.ts', 'doctor'])(
    'come with the rest of the recipe: %s', (what) => {
      expect(recipe).toContain(what);
    });
});
