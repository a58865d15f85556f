/**
 * The scale of a picture: the 99.5th percentile of |v|, rounded up to 1, 2 or 5 x 10^n. It climbs a ladder of such
 * values like a scope's volts per division, so it steps and never breathes.
 *
 * Nothing is sorted: sorted(|v|)[k] <= N says the same as "at most n - 1 - k values are larger than N", and whether a
 * rung still holds is a matter of counting.
 */
const QUANTILE = 0.995;
const MANTISSAS = [1, 2, 5] as const;

/** Those that were asked for: a picture asks for its own dozens of times. */
const known = new Map<number, number>();

/** Value of a rung: ..., -1: 0.5, 0: 1, 1: 2, 2: 5, 3: 10, ... Exactly the float64 nearest to the decimal. */
export function rungValue(rung: number): number {
  let value = known.get(rung);
  if (value === undefined) {
    const exponent = Math.floor(rung / MANTISSAS.length);
    const mantissa = MANTISSAS[rung - exponent * MANTISSAS.length] ?? 1;
    value = Number(`${String(mantissa)}e${String(exponent)}`);
    known.set(rung, value);
  }
  return value;
}

/** The lowest rung that is not below `value` > 0. */
export function rungFor(value: number): number {
  let rung = Math.floor(Math.log10(value)) * MANTISSAS.length;
  while (rungValue(rung) < value) rung += 1;
  while (rungValue(rung - 1) >= value) rung -= 1;
  return rung;
}

/** A stretch of a tensor that shares a scale. */
export interface Stretch {
  readonly values: Float32Array;
  readonly start: number;
  readonly end: number;
}

export const wholeOf = (values: Float32Array): Stretch => ({ values, start: 0, end: values.length });

/** How many finite values may lie beyond the scale. */
const allowedBeyond = (finite: number): number => finite - 1 - Math.floor((finite - 1) * QUANTILE);

/** Finite values with |v| > limit. */
export function countBeyond(stretches: readonly Stretch[], limit: number): number {
  let count = 0;
  for (const { values, start, end } of stretches) {
    for (let index = start; index < end; index += 1) {
      const size = Math.abs(values[index] ?? 0);
      if (size > limit && size !== Number.POSITIVE_INFINITY) count += 1;
    }
  }
  return count;
}

/**
 * The rung that the finite values ask for; null when there is none but zero. Where more than 99.5 % are exactly zero the
 * percentile says nothing, and the largest value decides.
 */
export function rungOf(stretches: readonly Stretch[]): number | null {
  let finite = 0;
  let nonZero = 0;
  let largest = 0;
  for (const { values, start, end } of stretches) {
    for (let index = start; index < end; index += 1) {
      const size = Math.abs(values[index] ?? 0);
      if (!(size < Number.POSITIVE_INFINITY)) continue;
      finite += 1;
      if (size > 0) nonZero += 1;
      if (size > largest) largest = size;
    }
  }
  if (largest === 0) return null;
  let rung = rungFor(largest);
  const allowed = allowedBeyond(finite);
  if (nonZero <= allowed) return rung;
  while (countBeyond(stretches, rungValue(rung - 1)) <= allowed) rung -= 1;
  return rung;
}

/** Pictures in a row for which a lower rung must have been enough before the scale steps down in a running picture. */
const PICTURES_BEFORE_STEPPING_DOWN = 30;

/**
 * The scale of one group of values over time. It steps up at once; while pictures stream it steps down only when a
 * lower rung has been enough for a while, so that minibatch noise around a rung does not make it flicker.
 */
export class Scale {
  private rung: number | null = null;
  private picturesThatNeedLess = 0;
  /** Values in the newest picture, and how many finite ones of them lie beyond the scale. */
  values = 0;
  clipped = 0;

  /** End of the scale; 1 before anything but zero was seen. */
  get value(): number {
    return this.rung === null ? 1 : rungValue(this.rung);
  }

  /** Whether anything but zero was ever seen. */
  get known(): boolean {
    return this.rung !== null;
  }

  /**
   * @param hold keeps the scale whatever the values say (the lock)
   * @param settle takes exactly the rung of these values: a picture taken while training stands
   */
  update(stretches: readonly Stretch[], { hold, settle }: { hold: boolean; settle: boolean }): void {
    if (!(hold && this.known)) this.step(stretches, settle);
    this.values = stretches.reduce((sum, { start, end }) => sum + end - start, 0);
    this.clipped = this.rung === null ? 0 : countBeyond(stretches, rungValue(this.rung));
  }

  private step(stretches: readonly Stretch[], settle: boolean): void {
    if (this.rung !== null && !settle && holds(stretches, this.rung)) {
      this.picturesThatNeedLess = 0;
      return;
    }
    const wanted = rungOf(stretches);
    if (wanted === null || wanted === this.rung) {
      this.picturesThatNeedLess = 0;
      return;
    }
    const down = this.rung !== null && wanted < this.rung;
    if (down && !settle) {
      this.picturesThatNeedLess += 1;
      if (this.picturesThatNeedLess < PICTURES_BEFORE_STEPPING_DOWN) return;
    }
    this.rung = wanted;
    this.picturesThatNeedLess = 0;
  }
}

/** Whether `rung` is what the values ask for, in one pass; false also where that takes a closer look. */
function holds(stretches: readonly Stretch[], rung: number): boolean {
  const limit = rungValue(rung);
  const lower = rungValue(rung - 1);
  let finite = 0;
  let beyond = 0;
  let beyondLower = 0;
  for (const { values, start, end } of stretches) {
    for (let index = start; index < end; index += 1) {
      const size = Math.abs(values[index] ?? 0);
      if (size <= lower) finite += 1;
      else if (size < Number.POSITIVE_INFINITY) {
        finite += 1;
        beyondLower += 1;
        if (size > limit) beyond += 1;
      }
    }
  }
  const allowed = allowedBeyond(finite);
  return beyond <= allowed && beyondLower > allowed;
}
