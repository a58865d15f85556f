/**
 * sqrt(sum of squares), summed in float64: finite whenever every value is, since (3.4e38)^2 * 2^53 fits. Four sums at once, as
 * each addition waits for the one before.
 */
export function l2Norm(values: ArrayLike<number>): number {
  const whole = values.length - (values.length % 4);
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = 0; i < whole; i += 4) {
    a += values[i]! * values[i]!;
    b += values[i + 1]! * values[i + 1]!;
    c += values[i + 2]! * values[i + 2]!;
    d += values[i + 3]! * values[i + 3]!;
  }
  for (let i = whole; i < values.length; i++) a += values[i]! * values[i]!;
  return Math.sqrt(a + b + c + d);
}

export interface NonFiniteCount {
  readonly nan: number;
  /** Of either sign. */
  readonly infinite: number;
}

export function countNonFinite(values: ArrayLike<number>): NonFiniteCount {
  if (allFinite(values)) return { nan: 0, infinite: 0 };
  let nan = 0;
  let infinite = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (Number.isFinite(value)) continue;
    if (Number.isNaN(value)) nan += 1;
    else infinite += 1;
  }
  return { nan, infinite };
}

/** v x 0 is 0 for every finite v and NaN for all others; four sums at once, as each addition waits for the one before. */
function allFinite(values: ArrayLike<number>): boolean {
  const whole = values.length - (values.length % 4);
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = 0; i < whole; i += 4) {
    a += values[i]! * 0;
    b += values[i + 1]! * 0;
    c += values[i + 2]! * 0;
    d += values[i + 3]! * 0;
  }
  for (let i = whole; i < values.length; i++) a += values[i]! * 0;
  return a + b + c + d === 0;
}
