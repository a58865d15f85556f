/**
 * Every number that the page shows becomes text here. Each function takes the most characters that its text may have, with
 * sign, separators and unit: where the preferred form is longer, digits go first, then the form with a power of ten is taken,
 * so no value can run into its neighbour. A width of 7 holds every number, and 6 every float32. The minus is a real one,
 * thousands are parted by commas, and zero has no sign.
 */
const MINUS = '\u2212';

/** Written where not even one digit and its power of ten fit. */
const NO_ROOM = '\u2026';

/** From here on toFixed itself takes to powers of ten. */
const LARGEST_PLAIN = 1e21;

/** Of a float64, after its first. */
const MOST_DIGITS = 16;

/** Most digits after the point in the form with a power of ten. */
const USUAL_DIGITS = 1;

/** 0.0162 -> `0.016`, 3.66 -> `3.66`, 1234 -> `1,234`, 0.00028 -> `2.8e−4`: about three figures. */
export function formatNumber(value: number, width = 7): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.01 || size >= 1e5)) return scientific(value, USUAL_DIGITS, width);
  const decimals = size === 0 || size >= 100 ? 0 : size >= 1 ? 2 : 3;
  return inFigures(value, decimals, width);
}

/** A fixed number of decimals, fewer where they do not fit; what rounds to zero is zero. */
export function formatFixed(value: number, decimals: number, width = decimals + 6): string {
  return withUnit(value, decimals, width, '');
}

/** So many significant figures, for numbers that are checked by hand: 0.38214 -> `0.3821`, 0.00012345 -> `1.235e−4`. */
export function formatPrecise(value: number, figures: number, width = figures + 6): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e7)) return scientific(value, figures - 1, width);
  if (size === 0) return '0';
  // 9.9996 has one digit more before the point once it is rounded.
  const order = Number.isFinite(value) ? orderOf(Number(size.toPrecision(figures))) : 0;
  return inFigures(value, Math.max(0, figures - 1 - order), width);
}

/** The end of a scale, always 1, 2 or 5 times a power of ten: 0.2 -> `0.2`, 0.002 -> `2e−3`, 5000 -> `5e3`. */
export function formatScale(scale: number, width = 6): string {
  return scale >= 0.01 && scale < 1000
    ? (fit(Math.max(0, -orderOf(scale)), width, (digits) => plain(scale, digits)) ?? NO_ROOM)
    : scientific(scale, 0, width);
}

/** A setting as a person gave it: 0.0001 -> `1e−4`, 0.1307 -> `0.1307`; digits go only where there is no room for them. */
export function formatSetting(value: number, width = 12): string {
  const word = wordOf(value);
  if (word !== null) return word;
  const write = (digits: number): string => {
    const rounded = Number(value.toPrecision(digits + 1));
    const size = Math.abs(rounded);
    const text = size !== 0 && (size < 1e-3 || size >= 1e9) ? rounded.toExponential() : String(rounded);
    return withMinus(text.replace('e+', 'e'));
  };
  return fit(MOST_DIGITS, width, write) ?? NO_ROOM;
}

/** A number in a line of code: 0.1 -> `0.1`, 1e-8 -> `1e-8`, without the last digits that only rounding made. */
export const numberLiteral = (value: number): string => String(Number(value.toPrecision(12)));

/** 2640 -> `2,640`. */
export const formatCount = (count: number, width = 11): string => withUnit(count, 0, width, '');

/** 0.9073 -> `90.73 %`; `100 %` where there is no room for `100.0 %`. */
export const formatPercent = (share: number, decimals: number, width = decimals + 6): string =>
  withUnit(share * 100, decimals, width, ' %');

const FIGURE_SPACE = '\u2007';

/**
 * 0.07 -> ` 7 %`: as wide as `42 %` where figures are tabular. What changes many times a second then stays in its place, and
 * the browser need not find anew what covers what.
 */
export const formatSteadyPercent = (share: number): string =>
  formatPercent(share, 0).padStart('42 %'.length, FIGURE_SPACE);

/** Steps, images or frames a second: `0.8`, `8.4`, `412`, `18,420`. */
export const formatRate = (rate: number, width = 7): string =>
  Math.abs(rate) < 9.95 ? formatSetting(Number(rate.toFixed(1)), width) : formatCount(rate, width);

/** `9 ms`, `1.3 s`, `12 min`, `3 h`. */
export function formatDuration(ms: number, width = 8): string {
  if (!(Math.abs(ms) >= 999.5)) return withUnit(ms, 0, width, ' ms');
  const seconds = ms / 1000;
  if (seconds < 100) return withUnit(seconds, 1, width, ' s');
  if (seconds < 7200) return withUnit(seconds / 60, 0, width, ' min');
  return withUnit(seconds / 3600, 0, width, ' h');
}

/**
 * The two ends of an axis or a range, which never read the same unless they are: `2.3026`, `2.3031`. Where even the most
 * figures that fit are alike, the second is written as what it is more than the first: `2.302585`, `+2.2e−12`.
 *
 * @param usually how they are written when that tells them apart
 */
export function formatEnds(
  low: number,
  high: number,
  width = 9,
  usually: (value: number, width: number) => string = formatNumber,
): readonly [low: string, high: string] {
  const ends = (figures: number): [string, string] => [
    formatPrecise(low, figures, width),
    formatPrecise(high, figures, width),
  ];
  const usual: [string, string] = [usually(low, width), usually(high, width)];
  if (Object.is(low, high) || usual[0] !== usual[1] || low === high) return usual;
  for (let figures = 3; figures < width; figures += 1) {
    const [first, second] = ends(figures);
    if (first !== second) return [first, second];
  }
  const more = high - low;
  const [first] = ends(Math.max(1, width - 2));
  return [first, `${more > 0 ? '+' : ''}${scientific(more, USUAL_DIGITS, width - 1)}`];
}

/** Numbers that stand below each other: on a common power of ten where they are read badly without one. */
export interface NumberColumn {
  /** Its values are written as multiples of ten to this power. */
  readonly exponent: number;
  readonly write: (value: number) => string;
}

export interface ColumnStyle {
  /** Powers of ten of the largest value, from and to, with which numbers are written as they are. */
  readonly plain: readonly [from: number, to: number];
  readonly plainDecimals: (order: number) => number;
  /** Of numbers from which the power of ten is taken out, and their digits before the point. */
  readonly decimals: number;
  readonly leading: 1 | 2;
  readonly width: number;
}

/** @param values all that stand below each other */
export function numberColumn(values: ArrayLike<number>, style: ColumnStyle): NumberColumn {
  const order = commonExponent(values);
  const [from, to] = style.plain;
  const isPlain = order >= from && order <= to;
  const exponent = isPlain ? 0 : order - style.leading + 1;
  const decimals = isPlain ? style.plainDecimals(order) : style.decimals;
  const factor = 10 ** exponent;
  return { exponent, write: (value) => formatFixed(value / factor, decimals, style.width) };
}

/** `times 1e−3`: the power of ten that brings the largest value to one digit before the point; 0 for nothing. */
export function commonExponent(values: ArrayLike<number>): number {
  let largest = 0;
  for (let index = 0; index < values.length; index += 1) {
    const size = Math.abs(values[index] ?? 0);
    if (Number.isFinite(size) && size > largest) largest = size;
  }
  return largest === 0 ? 0 : orderOf(largest);
}

export const formatExponent = (exponent: number): string => `1e${withMinus(String(exponent))}`;

/** 0.031 -> -2: the power of ten of the first digit. */
const orderOf = (size: number): number => Math.max(-306, Math.floor(Math.log10(size)));

const wordOf = (value: number): string | null =>
  Number.isNaN(value) ? 'NaN' : Number.isFinite(value) ? null : value > 0 ? 'inf' : `${MINUS}inf`;

/** As many decimals as fit, as long as a digit other than zero is left of a value that is not zero. */
function inFigures(value: number, decimals: number, width: number): string {
  const word = wordOf(value);
  if (word !== null) return word;
  const text = fit(decimals, width, (digits) => plain(value, digits));
  const isHonest = value === 0 || (text !== null && /[1-9]/u.test(text));
  return text !== null && isHonest ? text : scientific(value, USUAL_DIGITS, width);
}

/** As many decimals as fit, then a power of ten. */
function withUnit(value: number, decimals: number, width: number, unit: string): string {
  const word = wordOf(value);
  if (word !== null) return word;
  const room = width - unit.length;
  const text = Math.abs(value) < LARGEST_PLAIN ? fit(decimals, room, (digits) => plain(value, digits)) : null;
  return (text ?? scientific(value, USUAL_DIGITS, room)) + unit;
}

function scientific(value: number, digits: number, width: number): string {
  const write = (left: number): string => withMinus(value.toExponential(left).replace('e+', 'e'));
  return wordOf(value) ?? fit(digits, width, write) ?? NO_ROOM;
}

function plain(value: number, decimals: number): string {
  const [whole = '', part] = value.toFixed(decimals).split('.');
  const grouped = whole.replace(/\B(?=(?:\d{3})+$)/gu, ',');
  const text = part === undefined ? grouped : `${grouped}.${part}`;
  return /[1-9]/u.test(text) ? withMinus(text) : text.replace('-', '');
}

/** With as many digits as leave it no longer than `width`; null: it is longer even without. */
function fit(most: number, width: number, write: (digits: number) => string): string | null {
  for (let digits = most; digits >= 0; digits -= 1) {
    const text = write(digits);
    if (text.length <= width) return text;
  }
  return null;
}

const withMinus = (text: string): string => text.replaceAll('-', MINUS);
