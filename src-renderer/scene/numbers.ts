/** Numbers as people read them here: three significant figures or so, a real minus sign, thousands parted by commas. */
const MINUS = '\u2212';

/** 1234 -> `1234`, 3.66 -> `3.66`, 0.0162 -> `0.016`, 0.00028 -> `2.8e−4`. */
export function formatNumber(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : `${MINUS}inf`;
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size >= 1e5) return scientific(value);
  if (size >= 100) return withMinus(value.toFixed(0));
  if (size >= 1) return withMinus(value.toFixed(2));
  if (size >= 0.01) return withMinus(value.toFixed(3));
  return scientific(value);
}

/** A fixed number of decimals; what rounds to zero has no sign. */
export function formatFixed(value: number, decimals: number): string {
  if (!Number.isFinite(value)) return formatNumber(value);
  const text = value.toFixed(decimals);
  return Number(text) === 0 ? text.replace('-', '') : withMinus(text);
}

/** So many significant figures, for numbers that are checked by hand: 0.38214 -> `0.3821`, 0.00012345 -> `1.235e−4`. */
export function formatPrecise(value: number, figures: number): string {
  const size = Math.abs(value);
  if (!Number.isFinite(value) || size === 0) return formatNumber(value);
  if (size >= 1e-3 && size < 10 ** figures) return withMinus(value.toPrecision(figures));
  if (size >= 10 ** figures && size < 1e7) return withMinus(value.toFixed(0));
  return withMinus(value.toExponential(figures - 1).replace('e+', 'e')).replace('e-', `e${MINUS}`);
}

/** The end of a scale, always 1, 2 or 5 times a power of ten: 0.2 -> `0.2`, 0.002 -> `2e−3`, 5000 -> `5e3`. */
export function formatScale(scale: number): string {
  if (scale >= 0.01 && scale < 1000) return String(Number(scale.toPrecision(1)));
  return scientific(scale).replace('.0e', 'e');
}

/** 2640 -> `2,640`. */
export const formatCount = (count: number): string => String(count).replace(/\B(?=(\d{3})+(?!\d))/g, ',');

/** 0.9073 -> `90.73 %`. */
export const formatPercent = (share: number, decimals: number): string =>
  Number.isFinite(share) ? `${formatFixed(share * 100, decimals)} %` : formatNumber(share);

const FIGURE_SPACE = '\u2007';

/**
 * 0.07 -> ` 7 %`: as wide as `42 %` where figures are tabular. What changes many times a second then stays in its place, and
 * the browser need not find anew what covers what.
 */
export const formatSteadyPercent = (share: number): string =>
  formatPercent(share, 0).padStart('42 %'.length, FIGURE_SPACE);

/** `times 1e−3`: the power of ten that brings the largest value to one digit before the point; 0 for nothing. */
export function commonExponent(values: ArrayLike<number>): number {
  let largest = 0;
  for (let index = 0; index < values.length; index += 1) {
    const size = Math.abs(values[index] ?? 0);
    if (Number.isFinite(size) && size > largest) largest = size;
  }
  return largest === 0 ? 0 : Math.floor(Math.log10(largest));
}

export const formatExponent = (exponent: number): string => `1e${withMinus(String(exponent))}`;

const withMinus = (text: string): string => text.replace('-', MINUS);

const scientific = (value: number): string =>
  withMinus(value.toExponential(1).replace('e+', 'e')).replace('e-', `e${MINUS}`);
