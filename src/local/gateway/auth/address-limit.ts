const burst = 30;
const perSecond = 0.5;

/** False: this address has asked too often. */
export type AddressLimit = (address: string) => boolean;

/**
 * Supabase's limit for each address, on sign-in and refresh together: 30 at once, then one every two seconds. `now` in milliseconds.
 */
export function createAddressLimit(now: () => number = Date.now): AddressLimit {
  const buckets = new Map<string, { tokens: number; filledAt: number }>();
  return (address) => {
    const time = now();
    const bucket = buckets.get(address) ?? { tokens: burst, filledAt: time };
    const tokens = Math.min(burst, bucket.tokens + ((time - bucket.filledAt) / 1000) * perSecond);
    const admitted = tokens >= 1;
    buckets.set(address, { tokens: admitted ? tokens - 1 : tokens, filledAt: time });
    return admitted;
  };
}
