import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { createGatewayMetrics } from '../local/gateway/metrics.ts';
import { readFromRoot, trackedFiles } from '../testing/tracked-files.ts';
import { createMetrics } from './metrics.ts';

interface Alerts {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[];
}
interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets: readonly { readonly expr: string }[] }[];
}

const alerts = (parse(readFromRoot('ops/alerts.yml')) as Alerts).groups.flatMap(({ rules }) => rules);
const { panels } = JSON.parse(readFromRoot('ops/grafana-dashboard.json')) as Dashboard;
const expressions = [
  ...alerts.map(({ alert, expr }) => ({ in: alert, expr })),
  ...panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ in: title, expr }))),
];
const operations = readFromRoot('docs/operations.md');

/** As Prometheus has them: a histogram is three. */
async function exportedNames(): Promise<Set<string>> {
  const registries = [createMetrics().registry, createGatewayMetrics(() => 0).registry];
  const all = (await Promise.all(registries.map((registry) => registry.getMetricsAsJSON()))).flat();
  return new Set(all.flatMap(({ name, type }) => ((type as unknown) === 'histogram' ? ['_bucket', '_sum', '_count'].map((end) => name + end) : [name])));
}

describe('alerts and dashboard', () => {
  it('ask for metrics that are there', async () => {
    const exported = await exportedNames();
    const asked = expressions.flatMap(({ in: where, expr }) =>
      [...expr.matchAll(/\b(?:intent|nodejs|process)_\w+/g)].map(([name]) => ({ in: where, name })),
    );
    expect(asked.length).toBeGreaterThan(25);
    expect(asked.filter(({ name }) => !exported.has(name))).toEqual([]);
  });

  it('show or watch each metric of our own', async () => {
    const shown = expressions.map(({ expr }) => expr).join('\n');
    const own = [...(await exportedNames())].filter((name) => name.startsWith('intent_') && !/_(sum|count)$/.test(name));
    expect(own.filter((name) => !shown.includes(name))).toEqual([]);
  });

  it('have a runbook for each alert, and none for what is none', () => {
    const runbooks = operations.split(/^### /m).filter((part) => /^Intent\w+\n/.test(part));
    expect(runbooks.map((text) => text.slice(0, text.indexOf('\n'))).toSorted()).toEqual(alerts.map(({ alert }) => alert).toSorted());
    expect(runbooks.filter((text) => text.length < 150)).toEqual([]);
  });
});

it('the services that systemd restarts are those that the build makes', () => {
  for (const path of trackedFiles().filter((file) => file.startsWith('ops/systemd/'))) {
    const [, name] = /^ops\/systemd\/intent-([\w-]+)\.service$/.exec(path)!;
    expect(readFromRoot(`src/main/${name}.ts`)).toContain('await runProcess(');
    expect(readFromRoot(path)).toContain(`/dist/main/${name}.js`);
  }
});
