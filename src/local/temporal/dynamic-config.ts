import { parse } from 'yaml';
import { z } from 'zod';

const scalar = z.union([z.boolean(), z.number(), z.string()]);
/** Temporal's file lists values with constraints for each key; the development server's flags take one value and no constraint. */
const dynamicConfig = z.record(z.string(), z.tuple([z.strictObject({ value: scalar })]));

/** The flags of `temporal server start-dev` that say what a dynamic configuration file says. Throws if a flag cannot say it. */
export function dynamicConfigFlags(yaml: string): string[] {
  const config = dynamicConfig.parse(parse(yaml));
  return Object.entries(config).flatMap(([key, [{ value }]]) => ['--dynamic-config-value', `${key}=${JSON.stringify(value)}`]);
}
