import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import type { NativeConnection } from '@temporalio/worker';
import type { Logger } from '../../ports/logger.ts';

const name = 'TenantId';
/** `INDEXED_VALUE_TYPE_KEYWORD` of Temporal's API. */
const keyword = 2;

/** Every workflow carries its tenant's id, to be searched by. */
export function tenantAttributes(tenantId: string) {
  return [{ key: defineSearchAttributeKey(name, SearchAttributeType.KEYWORD), value: tenantId }];
}

/** Registers the search attribute if it is missing: without it the server takes no workflow of ours. */
export async function registerTenantAttribute(connection: Pick<NativeConnection, 'operatorService'>, namespace: string, log: Logger): Promise<void> {
  const { operatorService } = connection;
  try {
    const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
    if (customAttributes?.[name] !== undefined) return;
    // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- the client does not export the enum
    await operatorService.addSearchAttributes({ namespace, searchAttributes: { [name]: keyword } });
    log.info({ namespace }, `Registered the search attribute ${name}`);
  } catch (error) {
    const remedy = `tcld namespace search-attributes add --namespace ${namespace} --search-attribute "${name}=Keyword"`;
    log.warn({ err: error, namespace, remedy }, `The search attribute ${name} could not be registered; on Temporal Cloud add it by hand, if it is not there`);
  }
}
