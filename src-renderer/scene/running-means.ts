/**
 * A series of one value a step, brought down to the means of equal stretches: a sparkline's points. It takes in only what is
 * new, and twice as many steps a stretch once there are too many of them, so it costs the same however long the run is.
 */
export class RunningMeans {
  private readonly sums: Float64Array;
  /** Finite values in each stretch. */
  private readonly finite: Float64Array;
  private perStretch = 1;
  private taken = 0;

  /** @param most stretches, even; once there were more values there are always more than half as many */
  constructor(most: number) {
    this.sums = new Float64Array(most);
    this.finite = new Float64Array(most);
  }

  /**
   * Takes in the values from where it is to `length`. One that is not finite is left out.
   * @param valueAt value of the step index, from 0
   */
  takeUpTo(length: number, valueAt: (index: number) => number): void {
    for (; this.taken < length; this.taken += 1) {
      if (this.taken === this.perStretch * this.sums.length) this.halve();
      const value = valueAt(this.taken);
      if (!Number.isFinite(value)) continue;
      const stretch = Math.floor(this.taken / this.perStretch);
      this.sums[stretch] = (this.sums[stretch] ?? 0) + value;
      this.finite[stretch] = (this.finite[stretch] ?? 0) + 1;
    }
  }

  /** Mean of each stretch; the last may be a part of one. NaN where a stretch has no finite value. */
  means(): Float64Array {
    const count = Math.ceil(this.taken / this.perStretch);
    return this.sums.subarray(0, count).map((sum, stretch) => {
      const finite = this.finite[stretch] ?? 0;
      return finite === 0 ? Number.NaN : sum / finite;
    });
  }

  clear(): void {
    this.sums.fill(0);
    this.finite.fill(0);
    this.perStretch = 1;
    this.taken = 0;
  }

  private halve(): void {
    this.perStretch *= 2;
    for (const list of [this.sums, this.finite]) {
      const half = list.length / 2;
      for (let stretch = 0; stretch < half; stretch += 1) {
        list[stretch] = (list[2 * stretch] ?? 0) + (list[2 * stretch + 1] ?? 0);
      }
      list.fill(0, half);
    }
  }
}
