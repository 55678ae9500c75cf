/** By the key of each, in the order in which the keys first come. */
export function groupBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}

export function commandKey({ tenantId, commandId }: { readonly tenantId: string; readonly commandId: string | null }): string {
  return `${tenantId}/${commandId}`;
}

export function streamKey(of: { readonly tenantId: string; readonly aggregateType: string; readonly aggregateId: string }): string {
  return `${of.tenantId}/${of.aggregateType}/${of.aggregateId}`;
}
