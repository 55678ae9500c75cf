// Loaded before a process by `--import failing-dns.ts?host=database.test&until=/a/file`: this name cannot be resolved until the file
// is there, and is 127.0.0.1 from then on. Every connection of Node's asks `dns.lookup`.
import dns from 'node:dns';
import { existsSync } from 'node:fs';

const settings = new URL(import.meta.url).searchParams;
const host = settings.get('host');
const until = settings.get('until')!;
const lookup = dns.lookup as (name: string, ...more: unknown[]) => void;

// `lookup` has six overloads and a promisified form, which one function of ours cannot have: hence the two steps to its type.
dns.lookup = ((name: string, ...more: unknown[]) => {
  if (name !== host) return lookup(name, ...more);
  if (existsSync(until)) return lookup('127.0.0.1', ...more);
  const callback = more.at(-1) as (error: Error) => void;
  setImmediate(callback, Object.assign(new Error(`getaddrinfo EAI_AGAIN ${name}`), { code: 'EAI_AGAIN', syscall: 'getaddrinfo', hostname: name }));
}) as unknown as typeof dns.lookup;
