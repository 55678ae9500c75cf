const rewriteEveryMs = 1_000;
const printEveryMs = 30_000;
const clear = '\r\u001b[2K';

/** What is written of process.stdout, and known of it. */
export interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export interface WaitingLine {
  /** A line that stays. */
  log(line: string): void;
  /** What is waited for from now on; an empty text ends it. */
  wait(what: string): void;
  end(): void;
}

/** Lines, and under the last of them what is waited for: in a terminal rewritten every second, otherwise printed every 30 s. */
export function createWaitingLine(output: Output): WaitingLine {
  const rewrites = output.isTTY === true;
  let what = '';
  let beganAt = 0;
  let timer: NodeJS.Timeout | undefined;

  const text = () => `  waiting for ${what}, ${Math.round((performance.now() - beganAt) / 1000)} s`;
  // A longer line would wrap, and only its last row could be cleared.
  const draw = () => output.write(rewrites ? `${clear}${text().slice(0, (output.columns ?? 80) - 1)}` : `${text()}\n`);

  function end(): void {
    if (timer === undefined) return;
    clearInterval(timer);
    timer = undefined;
    if (rewrites) output.write(clear);
  }

  return {
    log(line) {
      const isDrawn = timer !== undefined && rewrites;
      output.write(isDrawn ? `${clear}${line}\n` : `${line}\n`);
      if (isDrawn) draw();
    },
    wait(next) {
      if (next === '') {
        end();
        return;
      }
      what = next;
      if (timer === undefined) {
        beganAt = performance.now();
        timer = setInterval(draw, rewrites ? rewriteEveryMs : printEveryMs);
      }
      if (rewrites) draw();
    },
    end,
  };
}
