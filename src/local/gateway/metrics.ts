import { Counter, Gauge, Registry } from 'prom-client';

export type GatewayMetrics = ReturnType<typeof createGatewayMetrics>;

/** What the gateway counts of Realtime. On Supabase, its reports of Realtime have the same. */
export function createGatewayMetrics(countChannels: () => number) {
  const registry = new Registry();
  const registers = [registry];
  const channels = new Gauge({
    name: 'intent_realtime_channels',
    help: 'Channels that clients are joined to.',
    registers,
    collect() {
      this.set(countChannels());
    },
  });
  return {
    registry,
    channels,
    joins: new Counter({
      name: 'intent_realtime_joins_total',
      help: 'Joins that clients asked for.',
      labelNames: ['result'] as const,
      registers,
    }),
  };
}
