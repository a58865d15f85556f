import { maskShape } from '../../src-shared/model/dropout-mask';
import { type NetworkPlan, sizeOf } from '../../src-shared/model/network';
import type { Slot, TensorKind, WatchItem } from '../../src-shared/protocol/messages';

/** Name of the image itself among the layers whose `digitOutput` or `output` can be watched. */
export const INPUT = 'input';
/** Name of what softmax makes of the logits. */
export const OUTPUT = 'output';
/** Name of the class with the largest probability, for its saliency; any class is called by its number. */
export const SAID = 'said';

/**
 * The slots of a frame for what a page wants to see, one after the other in its order. What the network does not have is
 * left out: right after a change of recipe a page may still ask for tensors of the one before.
 */
export function planSlots(plan: NetworkPlan, items: readonly WatchItem[]): Slot[] {
  const slots: Slot[] = [];
  let offset = 0;
  for (const { name, kind, maxValues } of items) {
    const shape = shapeOf(plan, name, kind);
    if (shape === null) continue;
    const reduced = reduce(shape, maxValues);
    const length = sizeOf(reduced.sentShape);
    slots.push({ name, kind, shape: [...shape], ...reduced, offset, length });
    offset += length;
  }
  return slots;
}

/** Number of float32 values in a frame with these slots. */
export function payloadLength(slots: readonly Slot[]): number {
  const last = slots.at(-1);
  return last === undefined ? 0 : last.offset + last.length;
}

/** Shape of a tensor that can be watched; null when this network has none of that name and kind. */
function shapeOf(plan: NetworkPlan, name: string, kind: TensorKind): readonly number[] | null {
  switch (kind) {
    case 'weight':
    case 'gradient':
    case 'update':
      return plan.parameters.find((parameter) => parameter.name === name)?.shape ?? null;
    case 'digitOutput':
    case 'output':
      if (name === INPUT) return plan.spec.input;
      return plan.layers.find((layer) => layer.spec.name === name)?.outputShape ?? null;
    case 'digitError':
    case 'error':
      return plan.layers.find((layer) => layer.spec.name === name)?.outputShape ?? null;
    case 'mask': {
      const layer = plan.layers.find(({ spec }) => spec.name === name);
      return layer?.spec.kind === 'dropout' ? maskShape(layer) : null;
    }
    case 'digitSaliency':
      return name === SAID || isClass(plan, name) ? plan.spec.input : null;
    case 'digitProbabilities':
      return name === OUTPUT ? [plan.classes] : null;
  }
}

/** `3`, but neither `03` nor a class that there is not. */
const isClass = ({ classes }: NetworkPlan, name: string): boolean =>
  /^[0-9]+$/.test(name) && String(Number(name)) === name && Number(name) < classes;

/** A tensor as the matrix it is reduced as: first axis, product of the others. */
export function matrixView(shape: readonly number[]): readonly [rows: number, columns: number] {
  return [shape[0] ?? 1, sizeOf(shape.slice(1))];
}

/**
 * Blocks as square as the matrix allows, so many that at most `maxValues` means are left.
 * Rows and columns at the edge that fill no whole block make a smaller one.
 */
function reduce(shape: readonly number[], maxValues: number): Pick<Slot, 'sentShape' | 'block'> {
  const size = sizeOf(shape);
  if (size <= maxValues) return { sentShape: [...shape], block: null };
  const [rows, columns] = matrixView(shape);
  for (let side = Math.ceil(Math.sqrt(size / maxValues)); ; side += 1) {
    // A matrix lower (or narrower) than the side gives the rest to the other axis.
    const blockRows = Math.min(rows, Math.max(side, Math.ceil(side ** 2 / columns)));
    const blockColumns = Math.min(columns, Math.max(side, Math.ceil(side ** 2 / rows)));
    const sentShape = [Math.ceil(rows / blockRows), Math.ceil(columns / blockColumns)];
    if (sizeOf(sentShape) <= maxValues) return { sentShape, block: [blockRows, blockColumns] };
  }
}
