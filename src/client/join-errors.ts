/**
 * What helps after a join that Realtime has refused. `ask`: it says that we may not listen, which it says of a passing fault in the
 * policies as well, so the membership decides. `renew`: another token. `wait`: to join again after a while. `seldom`: the same, but
 * nothing will change until somebody changes the project's settings.
 */
export type Remedy = 'ask' | 'renew' | 'wait' | 'seldom';

/** By the code that Realtime's words begin with. Only `Unauthorized` can be final, and only if the server confirms it. */
const remedies: Readonly<Record<string, Remedy>> = {
  Unauthorized: 'ask',

  InvalidJWTToken: 'renew',
  InvalidJWTExpiration: 'renew',
  MalformedJWT: 'renew',
  JwtSignatureError: 'renew',
  JwtSignerError: 'renew',

  InitializingProjectConnection: 'wait',
  UnableToConnectToProject: 'wait',
  DatabaseLackOfConnections: 'wait',
  DatabaseConnectionRateLimitReached: 'wait',
  IncreaseConnectionPool: 'wait',
  MissingPartition: 'wait',
  QueryCanceled: 'wait',
  TimeoutOnRpcCall: 'wait',
  ErrorOnRpcCall: 'wait',
  RealtimeRestarting: 'wait',
  ConnectionRateLimitReached: 'wait',
  ClientJoinRateLimitReached: 'wait',
  ChannelRateLimitReached: 'wait',

  PrivateOnly: 'seldom',
  TenantNotFound: 'seldom',
  RealtimeDisabledForTenant: 'seldom',
  RealtimeDisabledForConfiguration: 'seldom',
};

/** Null if the server has not refused: a fault on the way, after which supabase-js joins again by itself. */
export function remedyOf(error: Error | undefined): Remedy | null {
  if (error === undefined || !isReply(error.cause)) return null;
  const [code = ''] = error.message.split(':', 1);
  return remedies[code] ?? 'wait';
}

/** A socket's end has a reason, too, and a number as its code. */
function isReply(cause: unknown): boolean {
  return typeof cause === 'object' && cause !== null && 'reason' in cause && !('code' in cause);
}
