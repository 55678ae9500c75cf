// Loaded before a pump or a worker by `node --import shift-clock.ts?hours=-1`: the process believes that it is another time.
const { searchParams: settings } = new URL(import.meta.url);
const shiftMs = Number(settings.get('hours')) * 3_600_000;
const { now } = Date;
const shifted = () => now() + shiftMs;

globalThis.Date = new Proxy(Date, {
  construct: (target, args: [], newTarget) => Reflect.construct(target, args.length === 0 ? [shifted()] : args, newTarget) as object,
  apply: (target) => String(new target(shifted())),
  get: (target, name, receiver): unknown => (name === 'now' ? shifted : Reflect.get(target, name, receiver)),
});
