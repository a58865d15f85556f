import type { StepSeries } from '../../src-shared/tensor/step-columns';
import { formatCount } from './numbers';

/**
 * What the pill at a layer says, by rules that can be checked by hand. The worst counts:
 *
 * - `12 NaN`: values of W or g that are NaN or infinite in the newest picture.
 * - `exploding`: the median over the last 50 steps of |dW| / |W| is above 0.1; `vanishing`: it is below 1e-5. About 1e-3
 *   is usual for a network that learns (Stanford CS231n, "Ratio of weights:updates"); these are two orders of magnitude
 *   to either side, and vanishing is where float32 weights begin to lose the update in rounding.
 * - `2 dead`: filters (or units) that get no gradient: every value of their rows of g was exactly zero in each of the
 *   last 100 pictures of different steps. With ReLU that is a filter which no example of those minibatches switched on.
 *   A picture in which the whole layer has no gradient says nothing about single filters and does not count.
 */
export type Health =
  | { readonly kind: 'nonFinite'; readonly nan: number; readonly infinite: number }
  | { readonly kind: 'exploding' }
  | { readonly kind: 'vanishing' }
  | { readonly kind: 'dead'; readonly filters: readonly number[] }
  | { readonly kind: 'healthy' }
  /** Before the first step. */
  | { readonly kind: 'unknown' };

export const EXPLODING_RATIO = 0.1;
export const VANISHING_RATIO = 1e-5;
export const RATIO_STEPS = 50;
export const DEAD_PICTURES = 100;

export interface HealthInput {
  readonly nan: number;
  readonly infinite: number;
  /** |dW| and |W| of every step so far. */
  readonly updateNorms: StepSeries;
  readonly weightNorms: StepSeries;
  readonly deadFilters: readonly number[];
}

export function healthOf({ nan, infinite, updateNorms, weightNorms, deadFilters }: HealthInput): Health {
  if (nan + infinite > 0) return { kind: 'nonFinite', nan, infinite };
  const ratio = medianRatio(updateNorms, weightNorms);
  if (ratio === null) return { kind: 'unknown' };
  if (ratio > EXPLODING_RATIO) return { kind: 'exploding' };
  if (ratio < VANISHING_RATIO) return { kind: 'vanishing' };
  if (deadFilters.length > 0) return { kind: 'dead', filters: deadFilters };
  return { kind: 'healthy' };
}

/** Beside the name of a layer. */
const COUNT_WIDTH = 6;

/** `healthy`, `2 dead`, `12 NaN`, `3 infinite`; empty for unknown. */
export function healthLabel(health: Health): string {
  switch (health.kind) {
    case 'nonFinite':
      return health.nan > 0
        ? `${formatCount(health.nan, COUNT_WIDTH)} NaN`
        : `${formatCount(health.infinite, COUNT_WIDTH)} infinite`;
    case 'dead':
      return `${formatCount(health.filters.length, COUNT_WIDTH)} dead`;
    case 'unknown':
      return '';
    default:
      return health.kind;
  }
}

/** Median over the last RATIO_STEPS steps; null before the first. */
function medianRatio(updateNorms: StepSeries, weightNorms: StepSeries): number | null {
  const start = Math.max(0, updateNorms.length - RATIO_STEPS);
  const ratios = Array.from(
    { length: updateNorms.length - start },
    (_, index) => (updateNorms.at(start + index) ?? Number.NaN) / (weightNorms.at(start + index) ?? 1),
  );
  ratios.sort((a, b) => a - b);
  return ratios[Math.floor(ratios.length / 2)] ?? null;
}

/** Counts for each filter the pictures in a row, of different steps, in which it got no gradient. */
export class DeadFilters {
  private readonly silent: Int32Array;
  private lastStep = -1;

  constructor(filters: number) {
    this.silent = new Int32Array(filters);
  }

  /** @param gradient the weight gradient of `step`, filter by filter */
  see(step: number, gradient: Float32Array): void {
    if (step === this.lastStep) return;
    // A run that went back or began anew has another past.
    if (step < this.lastStep) this.silent.fill(0);
    this.lastStep = step;
    const size = gradient.length / this.silent.length;
    if (!someNonZero(gradient, 0, gradient.length)) return;
    for (let filter = 0; filter < this.silent.length; filter += 1) {
      const active = someNonZero(gradient, filter * size, (filter + 1) * size);
      this.silent[filter] = active ? 0 : (this.silent[filter] ?? 0) + 1;
    }
  }

  dead(): number[] {
    const dead: number[] = [];
    this.silent.forEach((pictures, filter) => {
      if (pictures >= DEAD_PICTURES) dead.push(filter);
    });
    return dead;
  }
}

function someNonZero(values: Float32Array, start: number, end: number): boolean {
  for (let index = start; index < end; index += 1) if (values[index] !== 0) return true;
  return false;
}
