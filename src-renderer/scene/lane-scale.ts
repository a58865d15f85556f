import type { ColumnSeries } from './column-series';
import { rungFor, rungValue } from './scale';

/** A lane's scale: where a value is, from 0 (bottom) to 1 (top), and the ends. */
export interface LaneScale {
  readonly low: number;
  readonly high: number;
  readonly place: (value: number) => number;
}

/**
 * Logarithmic from `low` to `high`, widened to 1, 2 or 5 x 10^n where the moving averages or the dots go beyond. Single
 * steps may still be cut off at the edge: the lane is for the course of things.
 */
export function logLane(
  series: readonly ColumnSeries[],
  dots: readonly number[],
  { low, high }: { low: number; high: number },
): LaneScale {
  let least = low;
  let most = high;
  const take = (value: number): void => {
    if (!(value > 0) || value === Number.POSITIVE_INFINITY) return;
    if (value < least) least = value;
    if (value > most) most = value;
  };
  for (const { smooth } of series) smooth.forEach(take);
  dots.forEach(take);
  const bottom = least < low ? floorRung(least) : low;
  const top = most > high ? rungValue(rungFor(most)) : high;
  const start = Math.log(bottom);
  const perLog = 1 / (Math.log(top) - start);
  // Asked for thousands of values several times a second, where a scale of d3 leaves three numbers on the heap for each.
  return {
    low: bottom,
    high: top,
    place: (value) => (value > 0 ? between((Math.log(value) - start) * perLog) : 0),
  };
}

export function linearLane(low: number, high: number): LaneScale {
  return { low, high, place: (value) => between((value - low) / (high - low)) };
}

/** Keeps NaN, which has no place. */
const between = (place: number): number => Math.min(1, Math.max(0, place));

/** Fewest steps an axis shows. */
const SHORTEST = 200;
/** Room ahead of the newest step before the axis grows. */
const AHEAD = 1.1;

/**
 * The last step of the axis: the whole run once a good part of it is done, before that 200, 500, 1000, ... steps, so that
 * the first minute is not drawn into a few pixels. Like a scope's time base it changes in steps, and seldom.
 */
export function timeBase(step: number, stepsOfRun: number): number {
  const enough = rungValue(rungFor(Math.max(SHORTEST, step * AHEAD)));
  return Math.max(step, Math.min(stepsOfRun, enough));
}

function floorRung(value: number): number {
  const rung = rungFor(value);
  return rungValue(rung) > value ? rungValue(rung - 1) : rungValue(rung);
}
