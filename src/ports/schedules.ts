export interface ScheduleReference {
  readonly tenantId: string;
  readonly scheduleId: string;
}

/** When a command recurs. What it is stays with the store. */
export interface Schedule extends ScheduleReference {
  /** Minute, hour, day of month, month, day of week. */
  readonly cron: string;
  /** An IANA name: where the cron expression is true. */
  readonly timeZone: string;
  /** Why it does not run; null: it runs. */
  readonly pausedBecause: string | null;
  /** `dedicated`: the tenant has a task queue of its own. */
  readonly isolation: 'shared' | 'dedicated';
  /** The tenant's share of the shared queues, relative to the others. */
  readonly fairnessWeight: number;
}

/** The schedules of all tenants. Every method may throw `StoreUnavailable`. */
export interface ScheduleStore {
  list(): Promise<readonly Schedule[]>;
  /** Stops one that cannot run, and says why to those who look at it. */
  pause(schedule: ScheduleReference, because: string): Promise<void>;
  /**
   * Sends the command for one occasion; again, it is the same command. Sends nothing if the schedule is paused or gone. Pauses it
   * if its command can never be sent. Throws `StoreUnavailable` also if the tenant is over its rate. Whatever it throws, the
   * occasion is not sent yet: repeat it until it is.
   */
  submit(schedule: ScheduleReference, occasion: Date): Promise<void>;
}
