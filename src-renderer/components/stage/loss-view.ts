import type { NetworkPlan } from '../../../src-shared/model/network';
import type { FrameSlot, FrameView } from '../../frames/frame-store';
import { crossEntropyError, exampleLoss, softmax } from '../../scene/loss';
import type { AppState } from '../../state/store';
import { isBlank } from '../scope/scope-model';

/** What there is to say of the loss of one image, class by class. */
export interface LossView {
  /** Example of the minibatch; null: the chosen digit. */
  readonly example: number | null;
  /** Images over which the loss is a mean: the minibatch, or the digit alone. */
  readonly examples: number;
  readonly label: number;
  /** The label is only what a drawn digit is taken for. */
  readonly isAssumed: boolean;
  readonly logits: Float32Array;
  /** softmax(logits) */
  readonly probabilities: Float32Array;
  readonly loss: number;
  /** dL/d logits as the trainer has it. */
  readonly sent: Float32Array;
  /** What softmax and cross-entropy of these logits would send: the same, where that is the loss. */
  readonly right: Float32Array;
}

/** Of the picture on the screen: an example inside a step, else the digit. Null where something of it is not there yet. */
export function lossView(
  view: FrameView | null,
  { plan, status, digit }: Pick<AppState, 'plan' | 'status' | 'digit'>,
): LossView | null {
  if (view === null || plan === null) return null;
  const { example } = view;
  const logits = valuesOf(view, plan, example === null ? 'digitOutput' : 'output');
  const sent = valuesOf(view, plan, example === null ? 'digitError' : 'error');
  if (logits === null || sent === null) return null;
  const probabilities = example === null ? known(view.slot('output', 'digitProbabilities')) : softmax(logits);
  if (probabilities === null) return null;

  const ofDigit = digit?.label ?? digit?.assumedLabel ?? probabilities.indexOf(Math.max(...probabilities));
  const label = example === null ? ofDigit : status?.minibatch?.labels?.[example];
  if (label === undefined) return null;
  const examples = example === null ? 1 : (status?.minibatch?.indices.length ?? 1);
  return {
    example,
    examples,
    label,
    isAssumed: example === null && digit?.label === null,
    logits,
    probabilities,
    loss: exampleLoss(plan.spec.loss, probabilities, label),
    sent,
    right: crossEntropyError(probabilities, label, examples),
  };
}

function valuesOf(
  view: FrameView,
  { layers }: NetworkPlan,
  kind: 'output' | 'error' | 'digitOutput' | 'digitError',
): Float32Array | null {
  const last = layers.at(-1);
  return last === undefined ? null : known(view.slot(last.spec.name, kind));
}

const known = (slot: FrameSlot | null): Float32Array | null =>
  slot === null || isBlank(slot) ? null : slot.values;
