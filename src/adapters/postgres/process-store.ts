import type { Pool } from 'pg';
import type { AdvancedProcess, LoadedProcess, ProcessStore } from '../../ports/process-store.ts';
import { callFunction } from './call-function.ts';

export interface ProcessStoreDeps {
  /** Connected as `intent_worker`. */
  readonly pool: Pool;
}

export function createProcessStore({ pool }: ProcessStoreDeps): ProcessStore {
  const call = <Value>(statement: string, values: readonly unknown[]) => callFunction<Value>(pool, statement, values);

  return {
    load: ({ tenantId, process, key }) => call<LoadedProcess | null>('intent.load_process($1, $2, $3)', [tenantId, process, key]),

    async advance({ tenantId, process, key }, expectedStep, advance) {
      const values = [tenantId, process, key, expectedStep, JSON.stringify(advance)];
      try {
        return await call<AdvancedProcess>('intent.advance_process($1, $2, $3, $4, $5)', values);
      } catch (error) {
        if (error instanceof Error && (error as { code?: string }).code === 'IN001') return 'moved_on';
        throw error;
      }
    },

    loadCall: ({ tenantId, process, key }, callId) => call('intent.load_call($1, $2, $3, $4)', [tenantId, process, key, callId]),

    answerCall: ({ tenantId, process, key }, callId, answer) =>
      call('intent.answer_call($1, $2, $3, $4, $5)', [tenantId, process, key, callId, JSON.stringify(answer)]),

    async cancel({ tenantId, process, key }) {
      await call('intent.cancel_process($1, $2, $3)', [tenantId, process, key]);
    },

    async fail({ tenantId, process, key }, error) {
      await call('intent.fail_process($1, $2, $3, $4)', [tenantId, process, key, JSON.stringify(error)]);
    },
  };
}
