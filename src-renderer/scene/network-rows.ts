import type {
  LayerPlan,
  LayerSpecOf,
  NetworkPlan,
  NetworkSpec,
  ParameterPlan,
} from '../../src-shared/model/network';
import { formatCount } from './numbers';

/** A layer with weights, shown in full. */
export interface LayerRow {
  readonly kind: 'layer';
  readonly layer: LayerPlan;
  readonly weight: ParameterPlan;
  /** Counts the layers with weights from 0; gives the row its key colour. */
  readonly keyIndex: number;
  /** The loss that its output is given to; null: it is given to another layer. */
  readonly loss: NetworkSpec['loss'] | null;
}

/** The layers between two layers with weights, shown in one line. The last one ends with the loss. */
export interface BetweenRow {
  readonly kind: 'between';
  readonly layers: readonly LayerPlan[];
  readonly loss: NetworkSpec['loss'] | null;
}

export type NetworkRow = LayerRow | BetweenRow;

/** The rows of the scope grid, input first. */
export function networkRows({ layers, spec }: NetworkPlan): NetworkRow[] {
  const rows: NetworkRow[] = [];
  let between: LayerPlan[] = [];
  let keyIndex = 0;
  const close = (loss: NetworkSpec['loss'] | null): void => {
    if (between.length > 0 || loss !== null) rows.push({ kind: 'between', layers: between, loss });
    between = [];
  };
  for (const layer of layers) {
    const weight = layer.parameters.find(({ role }) => role === 'weight');
    if (weight === undefined) {
      between.push(layer);
      continue;
    }
    close(null);
    const loss = layer.index === layers.length - 1 ? spec.loss : null;
    rows.push({ kind: 'layer', layer, weight, keyIndex, loss });
    keyIndex += 1;
  }
  close(spec.loss);
  return rows;
}

/** Filters (or units), and the kernels of each: one an input channel, or null for a dense layer, whose units have one row. */
export interface KernelShape {
  readonly filters: number;
  readonly inputs: number | null;
  /** Height and width of one kernel; a dense unit is one row of its inputs. */
  readonly height: number;
  readonly width: number;
}

/** Of a conv weight (out, in, height, width) or a dense weight (out, in). */
export function kernelShape(shape: readonly number[]): KernelShape {
  const [filters = 1, inputs = 1, height, width] = shape;
  return height === undefined || width === undefined
    ? { filters, inputs: null, height: 1, width: inputs }
    : { filters, inputs, height, width };
}

export interface KernelAddress {
  readonly filter: number;
  readonly input: number | null;
}

/** Kernels are counted in the order of the tensor. */
export const kernelAddress = ({ inputs }: KernelShape, kernel: number): KernelAddress =>
  inputs === null
    ? { filter: kernel, input: null }
    : { filter: Math.floor(kernel / inputs), input: kernel % inputs };

export const kernelNumber = ({ inputs }: KernelShape, { filter, input }: KernelAddress): number =>
  inputs === null ? filter : filter * inputs + (input ?? 0);

/** `conv2 filter 3 input 7`, `fc1 unit 12`. */
export const kernelName = (layer: string, { filter, input }: KernelAddress): string =>
  input === null
    ? `${layer} unit ${String(filter)}`
    : `${layer} filter ${String(filter)} input ${String(input)}`;

/** `2`, or `3/2` where the stride is not the size of the window. */
const windowText = ({ size, stride }: LayerSpecOf<'maxPool2d' | 'averagePool2d'>): string =>
  stride === size ? String(size) : `${String(size)}/${String(stride)}`;

/** `pool 2`, `ReLU`, `dropout`: what a layer without weights is called in its row. */
export function betweenName({ spec }: LayerPlan): string {
  switch (spec.kind) {
    case 'maxPool2d':
      return `pool ${windowText(spec)}`;
    case 'averagePool2d':
      return `avg pool ${windowText(spec)}`;
    case 'relu':
      return 'ReLU';
    case 'leakyRelu':
      return 'leaky ReLU';
    default:
      return spec.kind;
  }
}

/** `24 × 24` of (10, 24, 24); `320` of (320). */
export const planeSize = (shape: readonly number[]): string =>
  (shape.length > 1 ? shape.slice(1) : shape).join(' \u00d7 ');

/** [20, 8, 8] -> `20 × 8 × 8`, with thin spaces. */
export const shapeText = (shape: readonly number[]): string =>
  shape.map((extent) => formatCount(extent)).join('\u2009\u00d7\u2009');

/** `20 × 10 × 5 × 5`; a single input channel says nothing and is left out: `10 × 5 × 5`. */
export const sizesText = (shape: readonly number[]): string =>
  shape.filter((extent, axis) => axis !== 1 || extent !== 1).join(' \u00d7 ');
