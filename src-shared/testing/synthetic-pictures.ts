import { sizeOf, type NetworkPlan } from '../model/network';
import { GradscopeError } from '../protocol/errors';
import type { Slot, SlotState, WatchItem } from '../protocol/messages';
import { countNonFinite, type SyntheticRun } from './synthetic-run';

/** Lays out what a page watches; a tensor of too many values is reduced to means over parts of its rows. */
export function planSlots(plan: NetworkPlan, items: readonly WatchItem[]): Slot[] {
  let offset = 0;
  return items.map(({ name, kind, maxValues }) => {
    const shape = [...shapeOf(plan, name, kind)];
    const columns = sizeOf(shape.slice(1));
    const width = Math.ceil(sizeOf(shape) / maxValues);
    const block: [number, number] | null = width > 1 ? [1, width] : null;
    const sentShape = block === null ? shape : [shape[0] ?? 1, Math.ceil(columns / width)];
    const slot = { name, kind, shape, sentShape, block, offset, length: sizeOf(sentShape) };
    offset += slot.length;
    return slot;
  });
}

/** @throws GradscopeError `unknown-tensor`. */
function shapeOf(plan: NetworkPlan, name: string, kind: WatchItem['kind']): readonly number[] {
  if (kind === 'digitProbabilities') return [plan.classes];
  if ((kind === 'digitOutput' || kind === 'output') && name === 'input') return plan.spec.input;
  const shape =
    kind === 'digitOutput' ||
    kind === 'digitError' ||
    kind === 'output' ||
    kind === 'error' ||
    kind === 'mask'
      ? plan.layers.find((layer) => layer.spec.name === name)?.outputShape
      : plan.parameters.find((parameter) => parameter.name === name)?.shape;
  if (shape === undefined) throw new GradscopeError('unknown-tensor', `There is no ${kind} of ${name}.`);
  return shape;
}

/** The payload of a frame and what its head says of each slot. */
export function takePicture(
  run: SyntheticRun,
  slots: readonly Slot[],
): { values: Float32Array; states: SlotState[] } {
  const last = slots.at(-1);
  const values = new Float32Array(last === undefined ? 0 : last.offset + last.length);
  const digit = run.digitForward();
  const states = slots.map((slot): SlotState => {
    const { values: whole, ...state } = slotValues(run, slot, digit);
    values.set(reduce(whole, slot), slot.offset);
    return { ...state, ...countNonFinite(whole) };
  });
  return { values, states };
}

type Digit = ReturnType<SyntheticRun['digitForward']>;
type SlotValues = Pick<SlotState, 'freshness' | 'step' | 'phase'> & { values: Float32Array };

function slotValues(
  run: SyntheticRun,
  { name, kind }: Slot,
  { outputs, probabilities, label }: Digit,
): SlotValues {
  const { step, phase, plan } = run;
  const now = { freshness: 'fresh', step, phase } as const;
  const output = outputs.get(name) ?? new Float32Array();
  // The synthetic run looks into no example and has no pixels to differentiate by.
  if (kind === 'output' || kind === 'error' || kind === 'mask' || kind === 'digitSaliency') {
    return { freshness: 'notYet', step: 0, phase: null, values: new Float32Array() };
  }
  if (kind === 'digitProbabilities') return { ...now, values: probabilities };
  if (kind === 'digitOutput') return { ...now, values: output };
  if (kind === 'digitError') {
    const layer = plan.layers.find(({ spec }) => spec.name === name);
    const error = layer === undefined ? output : run.digitError(layer, output, probabilities, label);
    return { ...now, values: error };
  }
  const found = run.parameter(name, kind);
  if (found === null) return { ...now, values: new Float32Array() };
  return { values: found.values, freshness: found.freshness, step: found.step, phase: found.phase };
}

/** Means over the slot's blocks, row by row. */
function reduce(values: Float32Array, { block, shape, sentShape }: Slot): Float32Array {
  if (block === null) return values;
  const [, width] = block;
  const columns = sizeOf(shape.slice(1));
  const [rows = 1, sent = 1] = sentShape;
  const means = new Float32Array(rows * sent);
  for (let k = 0; k < means.length; k += 1) {
    const row = Math.floor(k / sent);
    const from = (k % sent) * width;
    const part = values.subarray(row * columns + from, row * columns + Math.min(columns, from + width));
    means[k] = part.reduce((sum, value) => sum + value, 0) / part.length;
  }
  return means;
}
