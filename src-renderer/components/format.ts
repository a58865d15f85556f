import { formatCount } from '../scene/numbers';

const MINUS = '−';

/** A setting for people, exact: 0.0001 -> "1e−4", 0.01 -> "0.01". */
export function plain(value: number): string {
  const size = Math.abs(value);
  const text = size !== 0 && size < 1e-3 ? value.toExponential() : String(value);
  return text.replaceAll('-', MINUS);
}

/** Steps, images or frames a second: "0.8", "8.4", "412", "18,420". */
export const perSecond = (rate: number): string =>
  rate < 10 ? String(Number(rate.toFixed(1))) : formatCount(Math.round(rate));

/** "9 ms", "1.3 s". */
export const duration = (ms: number): string =>
  ms < 1000 ? `${String(Math.round(ms))} ms` : `${(ms / 1000).toFixed(1)} s`;

/** The first twelve and the last four hexadecimal digits in fours: "4be1 90c7 2d5f … a07e". */
export const shortSha = (sha: string): string =>
  [sha.slice(0, 4), sha.slice(4, 8), sha.slice(8, 12), '…', sha.slice(-4)].join(' ');

/** [20, 8, 8] -> "20 × 8 × 8", with thin spaces. */
export const shapeText = (shape: readonly number[]): string => shape.map(formatCount).join('\u2009×\u2009');
