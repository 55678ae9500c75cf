import { spawn } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { Trouble, explainFileFault } from './trouble.mjs';

const progressMs = 15_000;
// npm waits up to a minute between its three attempts; somebody who has no network should know after some seconds.
const retryFlags = ['--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=5000'];
const networkFault = /ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ERR_SOCKET_TIMEOUT|\bE5\d\d\b/;

/** Runs `npm ci` in `root`; throws a Trouble that says why it failed. */
export async function npmCi(root, { say, alsoHeldBy }) {
  const startedAt = Date.now();
  const seconds = () => Math.round((Date.now() - startedAt) / 1000);
  const progress = setInterval(() => say(`still installing: ${seconds()} s`), progressMs);
  try {
    const { code, output } = await run(root, alsoHeldBy);
    if (code !== 0) throw explain(output, root);
    say(`installed in ${seconds()} s`);
  } finally {
    clearInterval(progress);
  }
}

function run(root, alsoHeldBy) {
  return new Promise((resolve, reject) => {
    const npm = spawn('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error', ...retryFlags], {
      cwd: root,
      env: { ...process.env, PATH: pathWithout(join(root, 'node_modules', '.bin')) },
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32', // npm is a .cmd file there
    });
    let output = '';
    npm.stdout.on('data', (chunk) => (output += chunk));
    npm.stderr.on('data', (chunk) => (output += chunk));
    npm.on('spawn', () => alsoHeldBy(npm.pid));
    npm.on('error', (error) => (error.code === 'ENOENT' ? reject(npmMissing()) : reject(error)));
    npm.on('close', (code) => resolve({ code, output }));
  });
}

// npm would delete the Node that it runs on, if it were to run on the one in node_modules.
function pathWithout(directory) {
  return (process.env.PATH ?? '').split(delimiter).filter((entry) => entry !== directory).join(delimiter);
}

function npmMissing() {
  return new Trouble('npm is not on the PATH.', 'Install Node together with npm from https://nodejs.org; both belong on the PATH.');
}

function explain(output, root) {
  const fileFault = /\b(ENOSPC|EDQUOT|EACCES|EPERM|EROFS)\b/.exec(output);
  if (fileFault) return explainFileFault({ code: fileFault[1], path: /npm (?:error|ERR!) path (.+)/.exec(output)?.[1] }, root);
  if (networkFault.test(output)) {
    return new Trouble(
      `The npm registry cannot be reached.\n${indent(output)}`,
      'Look at the network, the proxy (npm config get proxy) and the registry (npm config get registry), then run the same command again.',
    );
  }
  if (output.includes('EUSAGE')) {
    return new Trouble(
      `package.json and package-lock.json do not agree.\n${indent(output)}`,
      'Run npm install, look at the change of package-lock.json and commit it.',
    );
  }
  return new Trouble(`npm ci failed.\n${indent(output)}`, 'The lines above are npm\'s; mend what they name and run the same command again.');
}

function indent(output) {
  return output.trim().split('\n').slice(0, 12).map((line) => `  ${line}`).join('\n');
}
