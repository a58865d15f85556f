import type { RequestResult } from '../../src-shared/protocol/messages';
import { formatFixed, formatNumber, formatPercent } from './numbers';

export interface EffectPoint {
  /** a of W + a dW: 0 is before the step, 1 after it. */
  readonly share: number;
  readonly loss: number;
}

/** What a step did to the loss of its own minibatch. */
export interface StepEffect {
  readonly step: number;
  readonly examples: number;
  /** By share, ascending. */
  readonly points: readonly EffectPoint[];
  readonly before: number;
  readonly after: number;
  /** after - before. */
  readonly change: number;
  /** g . dW: the change that the slope promises. */
  readonly slope: number;
  readonly slopes: readonly { readonly layer: string; readonly slope: number }[];
  /** dW . H . dW of the parabola. */
  readonly curvature: number;
  /** Share at which the parabola has its minimum; null where it opens downward or is unknown. */
  readonly minimum: number | null;
}

export function stepEffectOf(reply: RequestResult<'measureStep'>): StepEffect {
  const points = reply.points
    .map(({ share, loss }) => ({ share, loss: Number(loss) }))
    .sort((a, b) => a.share - b.share);
  const at = (wanted: number): number => points.find(({ share }) => share === wanted)?.loss ?? Number.NaN;
  const [before, after] = [at(0), at(1)];
  const slope = Number(reply.slope);
  const curvature = Number(reply.curvature);
  return {
    step: reply.step,
    examples: reply.examples,
    points,
    before,
    after,
    change: after - before,
    slope,
    slopes: reply.slopes.map((layer) => ({ layer: layer.layer, slope: Number(layer.slope) })),
    curvature,
    minimum: curvature > 0 && Number.isFinite(slope) ? -slope / curvature : null,
  };
}

/** Loss at a share of the step as the parabola has it. */
export const parabolaAt = ({ before, slope, curvature }: StepEffect, share: number): number =>
  before + slope * share + (curvature * share ** 2) / 2;

/** Whether the minimum of the parabola lies among what was measured, so that it is in the picture. */
export const isLowestShown = ({ minimum, points }: StepEffect): boolean =>
  minimum !== null &&
  minimum >= (points[0]?.share ?? Infinity) &&
  minimum <= (points.at(-1)?.share ?? -Infinity);

/**
 * Two losses that differ by less than this share of them may differ by rounding alone: a logit of about ten, the end of a chain of
 * float32 sums, is off by some 1e-6, and dL/dlogits = probability - target weighs that by at most twice the loss.
 */
const ROUNDING_SHARE = 2e-6;

/**
 * A change by less than this share of the loss is none that a person would call help: ten thousand such steps, ten epochs of
 * MNIST, would not halve the loss. Steps of the sound recipes change it by 2e-3 and more, those of keras-double-softmax
 * at its plateau by some 4e-5.
 */
const HARDLY_SHARE = 1e-4;

export interface Verdict {
  readonly helped: boolean;
  /** Whether it helped, and by how much. */
  readonly sentence: string;
  /** Where it landed on the parabola, or why it did not help. */
  readonly because: string;
}

export function verdictOf(effect: StepEffect): Verdict {
  const { change, slope } = effect;
  if (!Number.isFinite(change) || !Number.isFinite(slope)) {
    return {
      helped: false,
      sentence: 'The loss is no finite number, so nothing can be said of this step.',
      because: '',
    };
  }
  const size = formatNumber(Math.abs(change));
  const part = Math.abs(change) / effect.before;
  if (change !== 0 && part < ROUNDING_SHARE) {
    const sentence = `No change that can be told: the losses differ by ${size}, and rounding to float32 makes as much.`;
    return { helped: false, sentence, because: slope === 0 ? whyNot(effect) : '' };
  }
  if (change < 0 && part < HARDLY_SHARE) {
    const sentence = `It hardly helped: the loss fell by ${size}, ${formatNumber(100 * part)} % of it.`;
    return { helped: false, sentence, because: landing(effect) };
  }
  if (change < 0) {
    const share = formatPercent(change / slope, 0);
    const sentence =
      slope < 0
        ? `It helped: the loss fell by ${size}, ${share} of what the slope promised.`
        : `It helped by luck: the slope promised a rise, but the loss fell by ${size}.`;
    return { helped: true, sentence, because: landing(effect) };
  }
  const rose = change === 0 ? 'the loss stayed what it was' : `the loss rose by ${size}`;
  return { helped: false, sentence: `It did not help: ${rose}.`, because: whyNot(effect) };
}

function landing({ minimum, slope }: StepEffect): string {
  if (slope >= 0) return 'Momentum carried the step against the gradient of this minibatch.';
  if (minimum === null) return 'The loss curves downward here, so the parabola has no minimum.';
  if (minimum < 1) return `It went past the best place: the minimum is at ${times(minimum)} of the step.`;
  return `It was cautious: the minimum is at ${times(minimum)} times the step.`;
}

function whyNot({ minimum, slope }: StepEffect): string {
  if (slope === 0) return 'The loss has no slope along the step.';
  if (slope > 0) return 'Momentum carried the step against the gradient of this minibatch.';
  return minimum === null || minimum >= 1
    ? 'The slope promised a fall, but the loss is no parabola along this step.'
    : `It overshot: the minimum is at ${times(minimum)} of the step.`;
}

const times = (share: number): string => formatFixed(share, share < 0.1 ? 2 : share < 10 ? 1 : 0);
