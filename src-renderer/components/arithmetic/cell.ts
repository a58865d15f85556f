import type { NetworkPlan } from '../../../src-shared/model/network';
import type { ExplainedKind } from '../../../src-shared/protocol/explanation';
import type { RequestParams } from '../../../src-shared/protocol/messages';
import { kernelAddress, kernelName, kernelShape } from '../../scene/network-rows';
import { isKernelKind, type Hover, type KernelKind, type MapSide } from '../scope/scope-model';

/** One value on the screen: of a kernel picture, or of a map. */
export interface Cell {
  readonly layer: string;
  readonly kind: Hover['kind'];
  /** Flat index in the parameter, or in the output of one example. */
  readonly index: number;
}

/** Which column of pictures shows it. */
export type CellColumn = KernelKind | MapSide;

export function columnOf(kind: Hover['kind']): CellColumn {
  if (isKernelKind(kind)) return kind;
  return kind === 'digitOutput' || kind === 'output' ? 'output' : 'error';
}

export const sameCell = (a: Cell | null, b: Cell | null): boolean =>
  a === b || (a !== null && b !== null && a.layer === b.layer && a.kind === b.kind && a.index === b.index);

/** What to ask about it. A weight was not summed up from anything: its gradient is what there is to check. */
export function questionOf({ layer, kind, index }: Cell, example: number): RequestParams<'explain'> {
  if (!isKernelKind(kind)) return { name: layer, kind, index, example };
  const asked: ExplainedKind = kind === 'update' ? 'update' : 'gradient';
  return { name: `${layer}.weight`, kind: asked, index, example: 0 };
}

/** The planes that a tensor is walked in: kernels or maps, each a few rows and columns. A row of units is one plane. */
export interface Planes {
  readonly count: number;
  readonly height: number;
  readonly width: number;
}

/** Null for a layer that the network does not have (any more). */
export function planesOf(plan: NetworkPlan, { layer, kind }: Pick<Cell, 'layer' | 'kind'>): Planes | null {
  const found = plan.layers.find(({ spec }) => spec.name === layer);
  if (found === undefined) return null;
  if (!isKernelKind(kind)) {
    const [count = 1, height, width] = found.outputShape;
    return height === undefined || width === undefined
      ? { count: 1, height: 1, width: count }
      : { count, height, width };
  }
  const weight = found.parameters.find(({ role }) => role === 'weight');
  if (weight === undefined) return null;
  const { filters, inputs, height, width } = kernelShape(weight.shape);
  return { count: filters * (inputs ?? 1), height, width };
}

/** So many rows, columns and planes on; stops at each edge. */
export function moved(
  cell: Cell,
  { count, height, width }: Planes,
  by: { readonly rows?: number; readonly columns?: number; readonly planes?: number },
): Cell {
  const size = height * width;
  const clamp = (at: number, end: number): number => Math.max(0, Math.min(end - 1, at));
  const plane = clamp(Math.floor(cell.index / size) + (by.planes ?? 0), count);
  const row = clamp(Math.floor((cell.index % size) / width) + (by.rows ?? 0), height);
  const column = clamp((cell.index % width) + (by.columns ?? 0), width);
  return { ...cell, index: plane * size + row * width + column };
}

const KIND_WORDS: Readonly<Record<CellColumn, string>> = {
  weight: 'gradient of this weight',
  gradient: 'gradient',
  update: 'update',
  output: 'output',
  error: 'error',
};

/** `conv2 filter 3 input 7, row 2 column 1: gradient`. */
export function cellTitle(plan: NetworkPlan, cell: Cell): string {
  const { layer, kind, index } = cell;
  const planes = planesOf(plan, cell);
  if (planes === null) return layer;
  const { height, width } = planes;
  const plane = Math.floor(index / (height * width));
  const place = `row ${String(Math.floor((index % (height * width)) / width))} column ${String(index % width)}`;
  const what = KIND_WORDS[columnOf(kind)];
  if (!isKernelKind(kind)) {
    const isMap = (plan.layers.find(({ spec }) => spec.name === layer)?.outputShape.length ?? 1) === 3;
    return isMap
      ? `${layer} map ${String(plane)}, ${place}: ${what}`
      : `${layer} unit ${String(index)}: ${what}`;
  }
  const weight = plan.parameters.find(({ name }) => name === `${layer}.weight`);
  const shape = kernelShape(weight?.shape ?? []);
  const name = kernelName(layer, kernelAddress(shape, plane));
  return shape.inputs === null
    ? `${name}, input ${String(index % width)}: ${what}`
    : `${name}, ${place}: ${what}`;
}
