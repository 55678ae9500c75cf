import { StackError } from '../../src/local/stack-error.ts';
import { findCompose } from './engine.ts';
import { isInstalled } from './run.ts';

/** What must be on the PATH, and Debian's package that has it. */
const programs = {
  docker: 'docker.io',
  dockerd: 'docker.io',
  debootstrap: 'debootstrap',
  iptables: 'iptables',
  ip: 'iproute2',
  unshare: 'util-linux',
  mount: 'mount',
  tar: 'tar',
} as const;

/** Throws `StackError` with all that an engine of our own lacks here. */
export function requireMeansForAnEngine(): void {
  const missing = [
    ...(process.platform === 'linux' ? [] : ['Linux']),
    ...(process.getuid?.() === 0 ? [] : ['the rights of root']),
    ...(process.platform === 'linux' && process.arch !== 'x64' && process.arch !== 'arm64' ? ['a processor of x64 or arm64'] : []),
    ...Object.entries(programs).flatMap(([program, source]) => (isInstalled('sh', '-c', `command -v ${program}`) ? [] : [`${program} (package ${source})`])),
    ...(findCompose() === undefined ? ['Compose (package docker-compose)'] : []),
  ];
  if (missing.length === 0) return;
  throw new StackError(
    `No Docker engine runs here that can pull images, and for one of our own is missing: ${missing.join(', ')}.`,
    'On Debian as root: apt-get install docker.io docker-compose debootstrap iptables. Or start Docker where its registry can be reached.',
  );
}
