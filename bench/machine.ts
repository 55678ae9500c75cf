import { cpus, platform, release, totalmem } from 'node:os';

/** What the figures were measured on: without it they mean nothing. */
export function describeMachine(): string {
  const processors = cpus();
  const gibibytes = (totalmem() / 2 ** 30).toFixed(0);
  return `${processors.length} × ${processors[0]?.model ?? 'unknown'}, ${gibibytes} GiB, ${platform()} ${release()}, Node ${process.versions.node}`;
}
