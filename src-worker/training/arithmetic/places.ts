import type { LayerPlan } from '../../../src-shared/model/network';
import { GradscopeError } from '../../../src-shared/protocol/errors';
import type { ExampleValues } from './sources';

/** Height, width and channels of a map; a row of units is a map of one pixel. */
export function extents(shape: readonly number[]): { channels: number; height: number; width: number } {
  const [channels = 1, height = 1, width = 1] = shape;
  return { channels, height, width };
}

export interface MapPlace {
  readonly channel: number;
  readonly row: number;
  readonly column: number;
}

/** Of a flat index in (channels, height, width). */
export function placeIn(shape: readonly number[], index: number): MapPlace {
  const { height, width } = extents(shape);
  const inside = index % (height * width);
  return {
    channel: Math.floor(index / (height * width)),
    row: Math.floor(inside / width),
    column: inside % width,
  };
}

/** Weight and bias of a layer that has them. */
export function parametersOf(layer: LayerPlan): { readonly weight: string; readonly bias: string } {
  const [weight, bias] = layer.parameters;
  if (weight === undefined || bias === undefined) {
    throw new GradscopeError('internal', `Layer ${layer.spec.name} has no weight and bias.`);
  }
  return { weight: weight.name, bias: bias.name };
}

/** A square of `size` from every channel of an image, (channels, size, size). */
export function cut(
  image: Float32Array,
  { channels, height, width }: { channels: number; height: number; width: number },
  [top, left]: readonly [number, number],
  size: number,
): Float32Array {
  const patch = new Float32Array(channels * size * size);
  let to = 0;
  for (let channel = 0; channel < channels; channel++) {
    for (let row = top; row < top + size; row++) {
      const from = (channel * height + row) * width + left;
      patch.set(image.subarray(from, from + size), to);
      to += size;
    }
  }
  return patch;
}

/** Place of the largest value: the first of equals; a NaN wins, the last one of several. As the engines' max-pool. */
export function winnerOf(patch: Float32Array): number {
  let winner = 0;
  let largest = -Infinity;
  for (let i = 0; i < patch.length; i++) {
    const value = patch[i]!;
    if (value > largest || Number.isNaN(value)) {
      largest = value;
      winner = i;
    }
  }
  return winner;
}

/** The factor that a dropout layer multiplies value `index` of its output with. */
export function dropoutFactor(layer: LayerPlan, index: number, values: ExampleValues): number {
  const mask = values.mask(layer);
  if (mask === null) return 1;
  const perChannel = layer.spec.kind === 'dropout' && layer.spec.unit === 'channel';
  return mask[perChannel ? placeIn(layer.outputShape, index).channel : index]!;
}
