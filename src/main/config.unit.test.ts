import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConfigError, loadPumpConfig, loadWorkerConfig } from './config.ts';

const safe = 'postgresql://intent_pump:Xk3q@127.0.0.1/intent';
const guessable = 'postgresql://intent_pump:intent_pump@127.0.0.1/intent';

beforeEach(() => {
  for (const name of ['NODE_ENV', 'DATABASE_URL', 'PUMP_DATABASE_URL', 'INTENT_PUMP', 'INTENT_ENGINE']) vi.stubEnv(name, undefined);
});
afterEach(() => vi.unstubAllEnvs());

function problemsOf(load: () => unknown, env: Readonly<Record<string, string>>): string {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  try {
    load();
    return '';
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
}

describe('production', () => {
  it.each([
    { name: 'the worker', load: loadWorkerConfig, env: { DATABASE_URL: guessable } },
    { name: 'the worker with the pump inside', load: loadWorkerConfig, env: { DATABASE_URL: safe, PUMP_DATABASE_URL: guessable } },
    { name: 'the pump', load: loadPumpConfig, env: { PUMP_DATABASE_URL: guessable } },
  ])('is refused to $name where a password can be guessed', ({ load, env }) => {
    expect(problemsOf(load, { NODE_ENV: 'production', ...env })).toContain('DATABASE_URL: needs a password of its own');
  });

  it('takes a password that nobody can guess', () => {
    expect(problemsOf(loadPumpConfig, { NODE_ENV: 'production', PUMP_DATABASE_URL: safe })).toBe('');
  });

  it('is not assumed where NODE_ENV is not set: a server on this machine may have any password', () => {
    expect(problemsOf(loadPumpConfig, { PUMP_DATABASE_URL: guessable })).toBe('');
    expect(loadPumpConfig().NODE_ENV).toBeUndefined();
  });

  it('nor is development: a server on another machine is held to what production is', () => {
    expect(problemsOf(loadPumpConfig, { PUMP_DATABASE_URL: 'postgresql://a:a@db.example/i' })).toContain('without TLS');
  });
});

it('what is wrong with the settings is told without the value of any of them', () => {
  const value = 'S3cret-value';
  const names = ['NODE_ENV', 'LOG_LEVEL', 'INTENT_TASK_QUEUES', 'INTENT_ENGINE', 'INTENT_PUMP', 'DATABASE_URL', 'HEALTH_PORT'];
  const env = { ...Object.fromEntries(names.map((name) => [name, value])), PUMP_DATABASE_URL: `postgresql://a:${value}@host:none/i` };
  const message = problemsOf(loadWorkerConfig, env);
  expect(message.match(/^ {2}[A-Z_]+(?=: )/gm)?.map((line) => line.trim()).toSorted()).toEqual(Object.keys(env).toSorted());
  expect(message).not.toContain(value);
});
