import { scaleLinear, scaleLog } from 'd3';
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
  for (const { smooth } of series) for (const value of smooth) take(value);
  for (const value of dots) take(value);
  const bottom = least < low ? floorRung(least) : low;
  const top = most > high ? rungValue(rungFor(most)) : high;
  const scale = scaleLog([bottom, top], [0, 1]).clamp(true);
  return { low: bottom, high: top, place: (value) => (value > 0 ? scale(value) : 0) };
}

export function linearLane(low: number, high: number): LaneScale {
  const scale = scaleLinear([low, high], [0, 1]).clamp(true);
  return { low, high, place: (value) => scale(value) };
}

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
