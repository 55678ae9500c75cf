/** Whether the tests run on a production cluster: `npm run test:cluster`. */
export const isOnCluster = process.env['INTENT_TEST_CLUSTER'] !== undefined;

/** What processes that a test starts must be told of the cluster: TEMPORAL_ADDRESS and its like. None without one. */
export function clusterVariables(): Record<string, string> {
  if (!isOnCluster) return {};
  return Object.fromEntries(Object.entries(process.env).filter((entry): entry is [string, string] => entry[0].startsWith('TEMPORAL_')));
}
