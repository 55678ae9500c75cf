/** A command as the queue has it. `due` orders the commands of an aggregate. */
export interface QueuedCommand {
  readonly tenantId: string;
  readonly aggregateId: string;
  readonly commandId: string;
  due: number;
  /** False while its submission has not been committed. */
  visible: boolean;
  /** False before its `execute_at`. */
  timely: boolean;
  status: 'pending' | 'dispatched' | 'succeeded' | 'rejected' | 'failed';
  /** In flight: claimed and not given back. The lease may have ended since. */
  claim: { leased: boolean } | undefined;
  fencingToken: number;
}

/** The rules of the queue, as simply as they can be said. */
export function createQueueModel() {
  const commands: QueuedCommand[] = [];
  const visible = () => commands.filter((command) => command.visible);
  const isOpen = ({ status }: QueuedCommand) => status === 'pending' || status === 'dispatched';
  const sameAggregate = (command: QueuedCommand) =>
    visible().filter((other) => other !== command && other.tenantId === command.tenantId && other.aggregateId === command.aggregateId);

  /** One that has been in flight goes first: its execution may have begun. Else the oldest that is due, if nothing is in flight. */
  function isClaimable(command: QueuedCommand): boolean {
    if (!command.visible || command.status !== 'pending' || !command.timely || command.claim?.leased) return false;
    const others = sameAggregate(command).filter(isOpen);
    if (others.some(({ claim }) => claim !== undefined)) return false;
    return command.claim !== undefined || !others.some(({ timely, due }) => timely && due < command.due);
  }

  /** What is wrong with this answer to a claim: nothing, if it keeps the rules. */
  function problemsOf(claimed: readonly QueuedCommand[], limit: number, mustBeFair: boolean): string[] {
    const claimable = commands.filter(isClaimable);
    return [
      ...claimed.filter((command) => !claimable.includes(command)).map(({ commandId }) => `${commandId} may not be claimed`),
      ...(new Set(claimed).size < claimed.length ? ['one is claimed twice'] : []),
      ...(claimed.length > limit ? ['more than the limit'] : []),
      ...(claimed.length === 0 && claimable.length > 0 ? [`none of ${claimable.length} that are free is claimed`] : []),
      ...(mustBeFair && isUnfair(claimed, claimable) ? ['a tenant is served twice before another one'] : []),
    ];
  }

  /** What had been in flight goes before everybody's turn. */
  function isUnfair(claimed: readonly QueuedCommand[], claimable: readonly QueuedCommand[]): boolean {
    if (claimed.some(({ claim }) => claim !== undefined)) return false;
    const ofTenant = (list: readonly QueuedCommand[], tenantId: string) => list.filter((command) => command.tenantId === tenantId).length;
    const tenantIds = [...new Set(claimable.map(({ tenantId }) => tenantId))];
    const most = Math.max(...tenantIds.map((tenantId) => ofTenant(claimed, tenantId)));
    return tenantIds.some((tenantId) => ofTenant(claimed, tenantId) < Math.min(ofTenant(claimable, tenantId), most - 1));
  }

  return { commands, visible, isOpen, problemsOf };
}
