import type { Slot } from '../../src-shared/protocol/messages';
import { matrixView } from './layout';

/** Copies a whole tensor, or the means of its blocks, to the place of its slot in `payload`. */
export function capture(values: Float32Array, slot: Slot, payload: Float32Array): void {
  if (slot.block === null) payload.set(values, slot.offset);
  else writeBlockMeans(values, slot, slot.block, payload);
}

function writeBlockMeans(
  values: Float32Array,
  slot: Slot,
  [blockRows, blockColumns]: readonly [number, number],
  payload: Float32Array,
): void {
  const [rows, columns] = matrixView(slot.shape);
  let target = slot.offset;
  for (let top = 0; top < rows; top += blockRows) {
    const bottom = Math.min(rows, top + blockRows);
    for (let left = 0; left < columns; left += blockColumns) {
      const right = Math.min(columns, left + blockColumns);
      // A bad number in a block makes its mean bad: it must never be averaged away.
      let sum = 0;
      for (let row = top; row < bottom; row += 1) {
        for (let i = row * columns + left; i < row * columns + right; i += 1) sum += values[i]!;
      }
      payload[target] = sum / ((bottom - top) * (right - left));
      target += 1;
    }
  }
}
