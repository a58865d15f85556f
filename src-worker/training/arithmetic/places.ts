import type { LayerPlan, LayerSpecOf } from '../../../src-shared/model/network';
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

/** Side, step and padding of the windows of a layer that has any. */
export interface Windows {
  readonly size: number;
  readonly stride: number;
  readonly padding: number;
}

export const windowsOf = (spec: LayerSpecOf<'conv2d' | 'maxPool2d' | 'averagePool2d'>): Windows => ({
  size: spec.kind === 'conv2d' ? spec.kernelSize : spec.size,
  stride: spec.stride,
  padding: spec.padding,
});

/** A window over a map and the part of it that is in the map. */
export interface WindowPlace {
  readonly height: number;
  readonly width: number;
  readonly corner: [row: number, column: number];
  readonly inside: { top: number; left: number; bottom: number; right: number };
}

export function windowAt(
  map: { readonly height: number; readonly width: number },
  corner: [row: number, column: number],
  height: number,
  width: number,
): WindowPlace {
  const [top, left] = corner;
  return {
    height,
    width,
    corner,
    inside: {
      top: Math.max(0, -top),
      left: Math.max(0, -left),
      bottom: Math.max(0, Math.min(height, map.height - top)),
      right: Math.max(0, Math.min(width, map.width - left)),
    },
  };
}

/** The window that makes the output at a row and column. */
export const windowOf = (
  map: { readonly height: number; readonly width: number },
  { size, stride, padding }: Windows,
  row: number,
  column: number,
): WindowPlace => windowAt(map, [row * stride - padding, column * stride - padding], size, size);

/**
 * First and last output along a side whose windows reach a place of the input, of those that there are if none is cut off at the
 * edges; first > last when the place lies between two windows.
 */
export const reachOf = ({ size, stride, padding }: Windows, place: number): [first: number, last: number] => [
  Math.ceil((place + padding - size + 1) / stride),
  Math.floor((place + padding) / stride),
];

/** What of an image, (channels, height, width), is under a window, (channels, height, width): zeros where it sticks out. */
export function cut(
  image: Float32Array,
  { channels, height, width }: { channels: number; height: number; width: number },
  window: WindowPlace,
): Float32Array {
  const { corner, inside } = window;
  const area = window.height * window.width;
  const patch = new Float32Array(channels * area);
  if (inside.right <= inside.left) return patch;
  for (let channel = 0; channel < channels; channel++) {
    for (let row = inside.top; row < inside.bottom; row++) {
      const from = (channel * height + corner[0] + row) * width + corner[1];
      const line = image.subarray(from + inside.left, from + inside.right);
      patch.set(line, channel * area + row * window.width + inside.left);
    }
  }
  return patch;
}

/**
 * Place in a window of its largest value: the first of equals; a NaN wins, the last one of several; never the padding. As the
 * engines' max-pool.
 */
export function winnerOf(patch: Float32Array, { width, inside }: WindowPlace): number {
  let winner = inside.top * width + inside.left;
  let largest = -Infinity;
  for (let row = inside.top; row < inside.bottom; row++) {
    for (let column = inside.left; column < inside.right; column++) {
      const at = row * width + column;
      const value = patch[at]!;
      if (value > largest || Number.isNaN(value)) {
        largest = value;
        winner = at;
      }
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
