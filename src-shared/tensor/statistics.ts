/** sqrt(sum of squares), summed in float64: finite whenever every value is, since (3.4e38)^2 * 2^53 fits. */
export function l2Norm(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    sum += value * value;
  }
  return Math.sqrt(sum);
}

export interface NonFiniteCount {
  readonly nan: number;
  /** Of either sign. */
  readonly infinite: number;
}

export function countNonFinite(values: ArrayLike<number>): NonFiniteCount {
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
