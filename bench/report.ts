import { cpus } from 'node:os';
import { checkWritable, writeWhole } from '../src-node/write-file.mjs';

/** The middle value, or the mean of the two in the middle; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const low = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
  const high = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  return (low + high) / 2;
}

/**
 * Between which values the median lies with at least 95 % confidence, whatever the distribution (sign test on the order
 * statistics); the extremes where there are too few values for that.
 */
export function medianInterval(values: readonly number[]): [number, number] {
  const sorted = values.toSorted((a, b) => a - b);
  const n = sorted.length;
  // P(at most `rank` of n values lie below the median), n halves; both tails together may have 5 %.
  let rank = -1;
  let probability = 0.5 ** n;
  let tail = probability;
  while (2 * tail <= 0.05) {
    rank += 1;
    probability *= (n - rank) / (rank + 1);
    tail += probability;
  }
  const from = Math.max(0, rank);
  return [sorted[from] ?? Number.NaN, sorted[n - 1 - from] ?? Number.NaN];
}

export const percent = (fraction: number): string => `${(100 * fraction).toFixed(2)} %`;

/** What a figure was measured on; without it the figure means nothing. */
export const machine = (): string =>
  `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${String(cpus().length)} cores, Node ${process.version}`;

/** A Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

export const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

export const progress = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

/** Before hours of measuring, rather than after. */
export function checkSavable(file: string | undefined): void {
  if (file !== undefined) checkWritable(file);
}

export function save(file: string | undefined, result: unknown): void {
  if (file !== undefined) writeWhole(file, `${JSON.stringify(result, null, 1)}\n`);
}
