import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { projectRoot } from '../local/paths.ts';

const report = z.object({
  results: z.array(
    z.object({ name: z.string(), detail: z.string(), metadata: z.object({ schema: z.string(), name: z.string() }) }),
  ),
});

export type Finding = z.infer<typeof report>['results'][number];

const cli = join(projectRoot, 'node_modules', '@supabase', `cli-${process.platform}-${process.arch}`, 'bin', 'supabase');

/** Supabase's CLI comes from npm, and not for every platform. */
export const advisorsAreInstalled = existsSync(cli);

/** What Supabase's advisors warn of in a database. `supabase/config.toml` tells them which schemas are exposed. */
export async function askAdvisors(adminUrl: string): Promise<Finding[]> {
  const url = new URL(adminUrl);
  const PGPASSWORD = decodeURIComponent(url.password);
  url.password = '';
  // The CLI keeps notes in its home, and beside the configuration.
  const home = await mkdtemp(join(tmpdir(), 'intent-advisors-'));
  try {
    await mkdir(join(home, 'supabase'));
    await copyFile(join(projectRoot, 'supabase', 'config.toml'), join(home, 'supabase', 'config.toml'));
    const target = [`--remote=${url.href}`, `--workdir=${home}`];
    const args = ['db', 'advisors', ...target, '--level=warn', '--fail-on=none', '--output-format=json'];
    // The password goes by the environment, so that `ps` does not show it.
    const env = { PATH: process.env['PATH'], HOME: home, DO_NOT_TRACK: '1', PGPASSWORD };
    const { stdout } = await promisify(execFile)(cli, args, { env });
    return report.parse(JSON.parse(stdout)).results;
  } finally {
    await rm(home, { recursive: true });
  }
}
