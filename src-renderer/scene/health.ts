import type { StepSeries } from '../../src-shared/tensor/step-columns';
import { formatCount, formatNumber } from './numbers';

/**
 * What the pill at a layer says, by rules that can be checked by hand. The gravest counts:
 *
 * - `12 NaN`: values of W, g or dW that are NaN or infinite in the newest picture.
 * - `no gradient`: every value of the weights' g was exactly 0 in the newest step.
 * - `exploding`: the median of |dW| / |W| over the last 50 steps is above 0.1. `slow`: it is below 1e-4, or nothing moved at
 *   all. About 1e-3 is usual for a network that learns (Stanford CS231n, "Ratio of weights:updates"); in an epoch of
 *   the built-in recipes the median lies between 3.4e-4 and 2.7e-2, and between 3.7e-5 and 9.8e-5 in the dense
 *   layers of keras-double-softmax while its loss stands at 2.30.
 * - `2 dead`: filters (or units) that got no gradient in each of the last 32 pictures of different steps. With ReLU that is a
 *   filter which no example of those minibatches switched on.
 * - `2 silent`: filters that are not dead yet, and got no gradient for longer than they are used to, or ever.
 * - `healthy` needs evidence: 10 steps and a loss below that of guessing. Until then `not yet`.
 */
export type Health =
  /** Before the first step. */
  | { readonly kind: 'unknown' }
  /** `place`: where it was first met, when the newest picture of W, g and dW does not show it. */
  | { readonly kind: 'nonFinite'; readonly nan: number; readonly infinite: number; readonly place?: string }
  | { readonly kind: 'noGradient'; readonly steps: number }
  | { readonly kind: 'exploding'; readonly ratio: number }
  /** `ratio` null: |W| is 0. */
  | { readonly kind: 'slow'; readonly ratio: number | null }
  | { readonly kind: 'dead'; readonly filters: readonly number[] }
  | { readonly kind: 'silent'; readonly silence: Silence }
  | { readonly kind: 'notYet'; readonly because: Missing }
  | { readonly kind: 'healthy'; readonly ratio: number };

/** Filters that got no gradient in the last `pictures` pictures of different steps, each of them at least. */
export interface Silence {
  readonly filters: readonly number[];
  readonly pictures: number;
}

/** What is missing for a verdict. */
export type Missing =
  /** Steps since `from`. */
  | { readonly what: 'steps'; readonly steps: number; readonly from: number }
  | { readonly what: 'ratio' }
  | { readonly what: 'loss'; readonly loss: number; readonly guessing: number };

export const EXPLODING_RATIO = 0.1;
export const SLOW_RATIO = 1e-4;
export const RATIO_STEPS = 50;
export const EVIDENCE_STEPS = 10;
export const DEAD_PICTURES = 32;
/** Share of the loss of guessing below which a network has begun to learn. */
export const LEARNT_SHARE = 0.98;

export interface HealthInput {
  readonly nan: number;
  readonly infinite: number;
  /** |g|, |dW| and |W| of the weights, and the loss, of every step so far. */
  readonly gradientNorms: StepSeries;
  readonly updateNorms: StepSeries;
  readonly weightNorms: StepSeries;
  readonly losses: StepSeries;
  readonly classes: number;
  /** The step after which weights were last replaced by hand or by a file; 0: never. What came before says nothing of them. */
  readonly from: number;
  readonly deadFilters: readonly number[];
  /** Against their habit, but not for long enough to be called dead. */
  readonly silence: Silence;
}

/** |dW| / |W|; null where there is no such number, as of 0 / 0. */
export function ratioOf(update: number | undefined, weight: number | undefined): number | null {
  if (update === undefined || weight === undefined || weight === 0) return null;
  const ratio = update / weight;
  return Number.isFinite(ratio) ? ratio : null;
}

export function healthOf(input: HealthInput): Health {
  const { nan, infinite, gradientNorms, updateNorms, deadFilters, silence, from } = input;
  if (nan + infinite > 0) return { kind: 'nonFinite', nan, infinite };
  if (updateNorms.length === 0) return { kind: 'unknown' };
  const silentSteps = zerosAtEnd(gradientNorms, from);
  if (silentSteps > 0) return { kind: 'noGradient', steps: silentSteps };
  const steps = updateNorms.length - from;
  if (steps < EVIDENCE_STEPS) return { kind: 'notYet', because: { what: 'steps', steps, from } };
  const ratio = medianRatio(input);
  if (ratio !== null && ratio > EXPLODING_RATIO) return { kind: 'exploding', ratio };
  const stood = zerosAtEnd(updateNorms, from) >= EVIDENCE_STEPS;
  if (stood || (ratio !== null && ratio < SLOW_RATIO)) return { kind: 'slow', ratio };
  if (deadFilters.length > 0) return { kind: 'dead', filters: deadFilters };
  if (silence.filters.length > 0) return { kind: 'silent', silence };
  if (ratio === null) return { kind: 'notYet', because: { what: 'ratio' } };
  const because = missing(input);
  return because === null ? { kind: 'healthy', ratio } : { kind: 'notYet', because };
}

/** What is still to be seen before a layer whose numbers are in order is called healthy. */
function missing({ losses, classes, from }: HealthInput): Missing | null {
  const last = lastOf(losses, from);
  // A trainer that gives no loss.
  if (last.length === 0) return null;
  const loss = last.reduce((sum, value) => sum + value, 0) / last.length;
  const guessing = Math.log(classes);
  return loss < LEARNT_SHARE * guessing ? null : { what: 'loss', loss, guessing };
}

/** Beside the name of a layer. */
const COUNT_WIDTH = 6;

/** `healthy`, `2 dead`, `1 silent`, `12 NaN`, `3 infinite`; empty for unknown. */
export function healthLabel(health: Health): string {
  switch (health.kind) {
    case 'nonFinite':
      return health.nan > 0
        ? `${formatCount(health.nan, COUNT_WIDTH)} NaN`
        : `${formatCount(health.infinite, COUNT_WIDTH)} infinite`;
    case 'dead':
      return `${formatCount(health.filters.length, COUNT_WIDTH)} dead`;
    case 'silent':
      return `${formatCount(health.silence.filters.length, COUNT_WIDTH)} silent`;
    case 'unknown':
      return '';
    case 'noGradient':
      return 'no gradient';
    case 'notYet':
      return 'not yet';
    case 'exploding':
    case 'slow':
    case 'healthy':
      return health.kind;
  }
}

/** A verdict in words: its value, then its rule. */
export function healthSentence(health: Health): string {
  switch (health.kind) {
    case 'unknown':
      return '';
    case 'nonFinite': {
      const counts = [
        health.nan > 0 ? `${formatCount(health.nan)} NaN` : '',
        health.infinite > 0 ? `${formatCount(health.infinite)} infinite` : '',
      ].filter((text) => text !== '');
      return health.place === undefined
        ? `${counts.join(' and ')} among the values of W, g or dW in the newest picture.`
        : `${counts.join(' and ')} first met in ${health.place}.`;
    }
    case 'noGradient': {
      const when = health.steps === 1 ? 'the last step' : `the last ${formatCount(health.steps)} steps`;
      return `Every g of these weights was exactly 0 in ${when}, so no loss moves them.`;
    }
    case 'exploding':
      return `|dW|/|W| is ${formatNumber(health.ratio)}, median of ${String(RATIO_STEPS)} steps; exploding is above ${String(EXPLODING_RATIO)}.`;
    case 'slow':
      return health.ratio === null
        ? `W did not move in the last ${String(EVIDENCE_STEPS)} steps.`
        : `|dW|/|W| is ${formatNumber(health.ratio)}, median of ${String(RATIO_STEPS)} steps; slow is below ${formatNumber(SLOW_RATIO)}.`;
    case 'dead':
      return `${namesOf(health.filters)} got no gradient in the last ${String(DEAD_PICTURES)} pictures of different steps.`;
    case 'silent': {
      const { filters, pictures } = health.silence;
      const when =
        pictures === 1 ? 'the last picture' : `the last ${String(pictures)} pictures of different steps`;
      return `${namesOf(filters)} got no gradient in ${when}; dead is after ${String(DEAD_PICTURES)}.`;
    }
    case 'notYet':
      return `No verdict yet: ${missingWords(health.because)}.`;
    case 'healthy':
      return (
        `|dW|/|W| is ${formatNumber(health.ratio)}, median of ${String(RATIO_STEPS)} steps, between ${formatNumber(SLOW_RATIO)} and ` +
        `${String(EXPLODING_RATIO)}; every filter gets a gradient, and the loss is below that of guessing.`
      );
  }
}

function missingWords(because: Missing): string {
  switch (because.what) {
    case 'steps': {
      const since =
        because.from > 0 ? ` since the weights were replaced at step ${formatCount(because.from)}` : '';
      return `${formatCount(because.steps)} of ${String(EVIDENCE_STEPS)} steps${since}`;
    }
    case 'ratio':
      return '|dW|/|W| does not exist, as |W| was 0';
    case 'loss':
      return `the loss is ${formatNumber(because.loss)}, mean of ${String(RATIO_STEPS)} steps, and guessing gives ${formatNumber(because.guessing)}`;
  }
}

const MOST_NAMES = 4;

/** `Filter 3`, `Filters 0, 3, 7 and 2 more`. */
function namesOf(filters: readonly number[]): string {
  const named = filters.slice(0, MOST_NAMES).join(', ');
  const more = filters.length - MOST_NAMES;
  return `${filters.length === 1 ? 'Filter' : 'Filters'} ${named}${more > 0 ? ` and ${formatCount(more)} more` : ''}`;
}

/** How many values at the end are exactly 0, at most those after the step `from`. */
function zerosAtEnd(series: StepSeries, from: number): number {
  let count = 0;
  while (count < series.length - from && series.at(series.length - 1 - count) === 0) count += 1;
  return count;
}

/** The last RATIO_STEPS values, at most those after the step `from`. */
function lastOf(series: StepSeries, from: number): number[] {
  const start = Math.max(from, series.length - RATIO_STEPS);
  return Array.from(
    { length: Math.max(0, series.length - start) },
    (_, index) => series.at(start + index) ?? Number.NaN,
  );
}

/** Median over the last steps that have a ratio; null: none has. */
function medianRatio({ updateNorms, weightNorms, from }: HealthInput): number | null {
  const weights = lastOf(weightNorms, from);
  const ratios = lastOf(updateNorms, from)
    .map((update, index) => ratioOf(update, weights[index]))
    .filter((ratio) => ratio !== null)
    .sort((a, b) => a - b);
  return ratios[Math.floor(ratios.length / 2)] ?? null;
}

/** A layer is called silent when a silence as long as one of its filters' would come by chance less often than this. */
const CHANCE = 0.001;
/** Pictures over which a filter's habit fades to a third: one that is on less and less is not held to its beginnings. */
const HABIT_PICTURES = 100;

/**
 * Counts for each filter the pictures in a row, of different steps, in which it got no gradient, and how often it had none
 * before: a filter that is silent in every third minibatch is not called so for two.
 */
export class FilterSilence {
  /** Pictures in a row without a gradient. */
  private readonly run: Int32Array;
  /** Of the pictures before those, each weighed less the longer ago it was: all, and those without a gradient. */
  private readonly seen: Float64Array;
  private readonly seenSilent: Float64Array;
  private lastStep = -1;

  constructor(filters: number) {
    this.run = new Int32Array(filters);
    this.seen = new Float64Array(filters);
    this.seenSilent = new Float64Array(filters);
  }

  /** @param gradient the weight gradient of `step`, filter by filter */
  see(step: number, gradient: Float32Array): void {
    if (step === this.lastStep) return;
    // A run that went back or began anew has another past.
    if (step < this.lastStep) this.forget();
    this.lastStep = step;
    const size = gradient.length / this.run.length;
    if (!someNonZero(gradient, 0, gradient.length)) return;
    for (let filter = 0; filter < this.run.length; filter += 1) {
      const run = this.run[filter] ?? 0;
      if (!someNonZero(gradient, filter * size, (filter + 1) * size)) {
        this.run[filter] = run + 1;
        continue;
      }
      this.run[filter] = 0;
      const fade = Math.exp(-(run + 1) / HABIT_PICTURES);
      this.seen[filter] = (this.seen[filter] ?? 0) * fade + run + 1;
      this.seenSilent[filter] = (this.seenSilent[filter] ?? 0) * fade + run;
    }
  }

  dead(): number[] {
    return this.filtersWhere((run) => run >= DEAD_PICTURES);
  }

  /** Those that are not dead yet, whose silence is longer than chance would have it, or that never had a gradient. */
  silent(): Silence {
    const rare = CHANCE / this.run.length;
    const filters = this.filtersWhere((run, filter) => {
      if (run === 0 || run >= DEAD_PICTURES) return false;
      const seen = this.seen[filter] ?? 0;
      // Laplace's rule of succession.
      const share = ((this.seenSilent[filter] ?? 0) + 1) / (seen + 2);
      return seen === 0 || share ** run < rare;
    });
    return { filters, pictures: Math.min(...filters.map((filter) => this.run[filter] ?? 0), DEAD_PICTURES) };
  }

  private forget(): void {
    this.run.fill(0);
    this.seen.fill(0);
    this.seenSilent.fill(0);
  }

  private filtersWhere(holds: (run: number, filter: number) => boolean): number[] {
    return Array.from(this.run.keys()).filter((filter) => holds(this.run[filter] ?? 0, filter));
  }
}

function someNonZero(values: Float32Array, start: number, end: number): boolean {
  for (let index = start; index < end; index += 1) if (values[index] !== 0) return true;
  return false;
}
