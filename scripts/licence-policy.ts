import type { Package } from './packages-in-production.ts';

export const licencesPath = 'docs/licences.md';

/** Each allows use in closed source, and asks for no more than that its text goes along. */
const permissive: readonly string[] = [
  '0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'BlueOak-1.0.0', 'ISC', 'MIT', 'Unlicense',
];

/** Packages with another declaration, or none, that somebody has looked at: what holds, and how that is known. */
const lookedAt: Readonly<Record<string, { readonly declared: string; readonly holds: string }>> = {
  'caniuse-lite': { declared: 'CC-BY-4.0', holds: 'CC-BY-4.0: data about browsers, for the bundler of the workflows; unchanged' },
  'jsonc-parser': { declared: 'undeclared', holds: 'MIT: the Edge Function loads it, and npm does not install it here' },
  unionfs: { declared: 'undeclared', holds: 'Unlicense: in its file LICENSE' },
};

/** Packages that must not go into production before somebody has looked at their licence. */
export function unacceptable(packages: readonly Package[]): Package[] {
  return packages.filter(({ name, licence }) => !isPermissive(licence) && lookedAt[name]?.declared !== licence);
}

/** Of alternatives, too, each must do. */
function isPermissive(licence: string): boolean {
  return licence.split(/ AND | OR |[()]/).every((term) => term === '' || permissive.includes(term));
}

export function renderLicences(packages: readonly Package[]): string {
  const rows = packages.map(({ name, version, licence }) => `| ${name} | ${version} | ${lookedAt[name]?.holds ?? licence} |`);
  return `# Licences

Of every package that may run in production, on any platform: \`npm run licences\` writes this file, and fails at a licence that is
unknown or asks for more than its text to go along. What is for development only is not passed on and not listed.

| package | version | licence |
| --- | --- | --- |
${rows.join('\n')}
`;
}
