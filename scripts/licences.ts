/** `npm run licences` writes docs/licences.md, or fails and names the packages whose licence nobody has looked at. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../src/local/paths.ts';
import { packagesInProduction } from './packages-in-production.ts';
import { licencesPath, renderLicences, unacceptable } from './licence-policy.ts';

const packages = packagesInProduction(projectRoot);
const refused = unacceptable(packages);
for (const { name, version, licence } of refused) {
  console.error(`${name} ${version}: ${licence}: look at it, then see scripts/licence-policy.ts`);
}
if (refused.length > 0) process.exitCode = 1;
else writeFileSync(join(projectRoot, licencesPath), renderLicences(packages));
