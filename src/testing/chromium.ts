import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const names = ['chromium', 'chromium-browser', 'google-chrome'];

/** The Chromium for the tests that need a browser: `CHROMIUM_PATH`, else what is in the PATH. If there is none, says so. */
export function findChromium(): string | undefined {
  const { CHROMIUM_PATH, PATH = '' } = process.env;
  const found = CHROMIUM_PATH || PATH.split(delimiter).flatMap((folder) => names.map((name) => join(folder, name))).find(isExecutable);
  if (found === undefined) console.log('The tests with a browser are left out: Chromium is not installed, and CHROMIUM_PATH names none.');
  return found;
}

/** Talks to nobody but the page's servers. Its sandbox does not start for root; what it shows here are our own pages. */
export function startChromium(executablePath: string): Promise<Browser> {
  const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'];
  return chromium.launch({ executablePath, args: [...quiet, '--no-sandbox', '--disable-gpu', '--disable-quic'] });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
