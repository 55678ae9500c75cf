export type TenantClass = 'shared' | 'dedicated';

/** Which tenants are dedicated, as far as this process has been told: as a label, in place of the tenants' ids. */
export interface TenantClasses {
  of(tenantId: string): TenantClass;
  note(tenantId: string, tenantClass: TenantClass): void;
}

export function createTenantClasses(): TenantClasses {
  // There are few of them: each has task queues of its own.
  const dedicated = new Set<string>();
  return {
    of: (tenantId) => (dedicated.has(tenantId) ? 'dedicated' : 'shared'),
    note: (tenantId, tenantClass) => void (tenantClass === 'dedicated' ? dedicated.add(tenantId) : dedicated.delete(tenantId)),
  };
}
