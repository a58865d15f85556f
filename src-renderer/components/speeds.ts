import { formatRate } from '../scene/numbers';

/** Steps a second, in the 1, 2, 5 of a decade; null: flat out. */
export const SPEEDS: readonly (number | null)[] = [1, 2, 5, 10, 20, 50, 100, 200, 500, null];

/** Place on the slider of a limit that may have been set elsewhere: the nearest one, by ratio. */
export function speedIndex(limit: number | null): number {
  if (limit === null) return SPEEDS.length - 1;
  const distance = (speed: number | null): number =>
    speed === null ? Infinity : Math.abs(Math.log(speed / limit));
  return SPEEDS.reduce<number>(
    (best, speed, index) => (distance(speed) < distance(SPEEDS[best] ?? null) ? index : best),
    0,
  );
}

export function speedLabel(limit: number | null): string {
  if (limit === null) return 'flat out';
  return limit === 1 ? '1 step/s' : `${formatRate(limit)} steps/s`;
}
