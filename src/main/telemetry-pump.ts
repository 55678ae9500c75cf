import type { CommandDispatcher, Handover } from '../ports/command-dispatcher.ts';
import type { ClaimedCommand, CommandQueue, Doorbell } from '../ports/command-queue.ts';
import type { HintAnnouncer } from '../ports/hint-announcer.ts';
import type { OpenCommands } from '../ports/open-commands.ts';
import { now } from './execution.ts';
import { failSpan } from './telemetry.ts';
import type { Telemetry } from './telemetry-context.ts';

/** Counts claims, and times how long commands wait for one. */
export function observeQueue(queue: CommandQueue, { metrics, traceIds, tenantClasses, observeStage }: Telemetry): CommandQueue {
  return {
    ...queue,

    async claim(maxCommands) {
      const commands = await queue.claim(maxCommands);
      for (const command of commands) {
        const { tenantId, commandId, traceparent, isolation, attempts, waitedSeconds } = command;
        traceIds.note(commandId, traceparent);
        tenantClasses.note(tenantId, isolation);
        metrics.claimed.inc({ tenant_class: isolation });
        if (attempts > 1) metrics.claimedAgain.inc();
        observeStage('queued', waitedSeconds * 1_000);
      }
      return commands;
    },
  };
}

/**
 * Handing a command over is a span under the command's `traceparent`, and a stage; if it has been executed at once, the
 * execution's own span says all.
 */
export function observeDispatcher(dispatcher: CommandDispatcher, { tracing, observeStage }: Telemetry): CommandDispatcher {
  async function observed({ tenantId, commandId, type, traceparent: parent }: ClaimedCommand, handover: Promise<Handover>): Promise<Handover> {
    const startedAt = now();
    const begin = () => {
      const attributes = { 'intent.tenant_id': tenantId, 'intent.command_id': commandId };
      return tracing.start(`dispatch ${type}`, { parent, role: 'producer', startedAt, attributes });
    };
    try {
      const result = await handover;
      if (result === 'started') {
        begin().end();
        observeStage('dispatch', now() - startedAt);
      }
      return result;
    } catch (error) {
      const span = begin();
      failSpan(span, error);
      span.end();
      throw error;
    }
  }

  return {
    dispatchAll: (commands) => dispatcher.dispatchAll(commands).map((handover, index) => observed(commands[index]!, handover)),
  };
}

/** Counts why the pump stops waiting. */
export function observeDoorbell(doorbell: Doorbell, { metrics }: Telemetry): Doorbell {
  return {
    async takeWaitSlot() {
      const slot = await doorbell.takeWaitSlot();
      return {
        ...slot,
        async wait(timeoutMs, signal) {
          const hasRung = await slot.wait(timeoutMs, signal);
          metrics.wakeUps.inc({ reason: hasRung ? 'ring' : 'poll' });
          return hasRung;
        },
      };
    },
  };
}

/** Counts what is merged. */
export function observeHints(announcer: HintAnnouncer, { metrics }: Telemetry): HintAnnouncer {
  return {
    async announce() {
      const announced = await announcer.announce();
      metrics.hintsMerged.inc(announced.hints);
      metrics.hintsWithheld.inc(announced.events);
      return announced;
    },
  };
}

export function observeOpenCommands(openCommands: OpenCommands, { traceIds }: Telemetry): OpenCommands {
  return {
    async list(dispatchedBeforeMs, maxCommands) {
      const commands = await openCommands.list(dispatchedBeforeMs, maxCommands);
      for (const { commandId, traceparent } of commands) traceIds.note(commandId, traceparent);
      return commands;
    },
  };
}
