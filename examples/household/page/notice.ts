import { CommandError, type CommandResult } from 'intent/client';

export interface Notice {
  say(text: string): void;
  /** Waits for what becomes of a command, and says so if it is not what the user wanted. Does not throw. */
  watch(what: string, sending: Promise<CommandResult>): Promise<void>;
}

/** Where a panel tells its user what went wrong; the element is an alert for screen readers. */
export function createNotice(element: HTMLElement): Notice {
  const say = (text: string) => {
    element.textContent = text;
  };
  return {
    say,
    async watch(what, sending) {
      say('');
      try {
        const result = await sending;
        if (result.status === 'rejected') say(`${what} was rejected: ${result.outcome.message}`);
        if (result.status === 'failed') say(`${what} failed. It is kept, so that an operator can have it executed after all.`);
      } catch (error) {
        if (!(error instanceof CommandError)) throw error;
        say(error.code === 'IN503' ? `${what} got no answer. Should it have been taken, it will show.` : `${what} was not taken: ${describe(error)}`);
      }
    },
  };
}

function describe({ message, errors }: CommandError): string {
  return errors.length === 0 ? message : errors.map((each) => `${each.path.split('/').at(-1)}: ${each.message}`).join('; ');
}
