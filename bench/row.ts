import { quantile } from './quantile.ts';

/** One line of the table. All text: a person reads it. */
export interface Row {
  readonly benchmark: string;
  readonly measured: string;
  readonly result: string;
  readonly spread: string;
  readonly goal: string;
  readonly met: 'yes' | 'no' | '';
  readonly figures: string;
}

export type Goal = { readonly atLeast: number } | { readonly atMost: number };

interface Measurement {
  readonly benchmark: string;
  readonly measured: string;
  /** One a round; the median is the result. */
  readonly values: readonly number[];
  /** After the result and in the goal. (Default: ` ×`, a ratio.) */
  readonly unit?: string;
  /** (Default: none, the row is for information.) */
  readonly goal?: Goal;
  readonly figures?: string;
}

export function toRow({ benchmark, measured, values, unit = ' ×', goal, figures = '' }: Measurement): Row {
  const median = quantile(values, 0.5);
  return {
    benchmark,
    measured,
    result: `${round(median)}${unit}`,
    spread: values.length === 1 ? '' : `${round(Math.min(...values))}–${round(Math.max(...values))}`,
    goal: goal === undefined ? '' : 'atLeast' in goal ? `≥ ${goal.atLeast}${unit}` : `≤ ${goal.atMost}${unit}`,
    met: goal === undefined ? '' : meets(median, goal) ? 'yes' : 'no',
    figures,
  };
}

export function meets(value: number, goal: Goal): boolean {
  return 'atLeast' in goal ? value >= goal.atLeast : value <= goal.atMost;
}

/** Two figures after the point below ten, one below a hundred; none of a whole number. */
export function round(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
}

export function asMarkdown(rows: readonly Row[]): string {
  const columns = ['benchmark', 'measured', 'result', 'spread', 'goal', 'met', 'figures'] as const;
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(columns), line(columns.map(() => '---')), ...rows.map((row) => line(columns.map((column) => row[column])))].join('\n');
}
