import type { KernelShape } from './network-rows';
import type { Tiles } from './tiles';

/**
 * Which row and column of an in x out matrix lies where: a permutation, place -> filter (or unit) and place -> input; null:
 * in the order of the tensor.
 */
export interface Arrangement {
  readonly filters: readonly number[] | null;
  readonly inputs: readonly number[] | null;
}

/** The same picture of W, g or dW with its kernels (and the columns of a dense matrix) at other places. */
export function arrangeKernels(tiles: Tiles, { inputs }: KernelShape, arrangement: Arrangement): Tiles {
  const { filters, inputs: columns } = arrangement;
  if (filters === null && columns === null) return tiles;
  if (inputs === null) {
    const moved = moveKernels(tiles, (place) => filters?.[place] ?? place);
    return columns === null ? moved : { ...moved, inputs: inputOrder(columns) };
  }
  return moveKernels(tiles, (place) => {
    const row = Math.floor(place / inputs);
    const column = place % inputs;
    return (filters?.[row] ?? row) * inputs + (columns?.[column] ?? column);
  });
}

/** Output or error maps in the order of their filters; a mean after them stays the last. */
export const arrangeMaps = (tiles: Tiles, { filters }: Arrangement): Tiles =>
  filters === null ? tiles : moveKernels(tiles, (place) => filters[place] ?? place);

function moveKernels(tiles: Tiles, kernelAt: (place: number) => number): Tiles {
  const { segments, kernelSize } = tiles;
  const kernel = segments.kernel.map(kernelAt);
  const offset = segments.offset.map(
    (from, at) => from + ((kernel[at] ?? 0) - (segments.kernel[at] ?? 0)) * kernelSize,
  );
  return { ...tiles, segments: { ...segments, kernel, offset } };
}

function inputOrder(columns: readonly number[]): Tiles['inputs'] {
  const at = Int32Array.from(columns);
  const columnOf = new Int32Array(at.length);
  at.forEach((input, column) => {
    columnOf[input] = column;
  });
  return { at, columnOf };
}

/** Kernels that lie side by side. */
export function kernelsAcross({ segments, kernels }: Tiles): number {
  const top = segments.y[0] ?? 0;
  let across = 1;
  while (across < kernels && segments.y[across] === top) across += 1;
  return across;
}

/** Kernel at a place, counted along the rows of the picture; -1 where there is none. */
export const kernelAt = ({ segments, kernels }: Tiles, place: number): number =>
  place < kernels ? (segments.kernel[place] ?? -1) : -1;

export const placeOfKernel = ({ segments }: Tiles, kernel: number): number => segments.kernel.indexOf(kernel);
