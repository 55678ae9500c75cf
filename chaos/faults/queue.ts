import { setTimeout as sleep } from 'node:timers/promises';
import { type Fault, restWithinMs } from './fault.ts';

const bells = ['ring_doorbell', 'ring_doorbell_again'] as const;
const betweenExpiriesMs = 20;

export const queueFaults: readonly Fault[] = [
  {
    name: 'expire-leases',
    family: 'queue',
    about: 'the leases of all claims end at once, while their pumps still work: commands are dispatched twice',
    restWithinMs,
    async inject({ stack, holdMs, note }) {
      let expired = 0;
      const until = performance.now() + holdMs;
      while (performance.now() < until) {
        // Anyone who marks or settles many holds some of them, in an order of its own: to wait for that could be a deadlock.
        const { rowCount } = await stack.database.admin.query(
          `update intent.commands as c set claimed_until = clock_timestamp()
           from (
             select tenant_id, command_id from intent.commands where claimed_until is not null and status = 'pending' for update skip locked
           ) as claimed
           where c.tenant_id = claimed.tenant_id and c.command_id = claimed.command_id`,
        );
        expired += rowCount ?? 0;
        await sleep(betweenExpiriesMs);
      }
      note(`${expired} leases`);
      return async () => {};
    },
  },
  {
    name: 'lose-notify',
    family: 'queue',
    about: 'no NOTIFY is sent: the triggers that ring are off',
    restWithinMs,
    async inject({ stack }) {
      const set = async (state: 'enable' | 'disable') => {
        for (const bell of bells) await stack.database.admin.query(`alter table intent.commands ${state} trigger ${bell}`);
      };
      await set('disable');
      return () => set('enable');
    },
  },
];
