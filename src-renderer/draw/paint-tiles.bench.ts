import { bench, describe } from 'vitest';
import { colourTable } from '../scene/colour-table';
import { Scale, wholeOf } from '../scene/scale';
import { bandGrid, tileGrid } from '../scene/tiles';
import { paintTiles } from './paint-tiles';

// The paper's network as it is drawn at 1440 x 900: 21,840 parameters less 90 biases.
const pictures = [
  tileGrid({ count: 10, tileHeight: 5, tileWidth: 5, across: 5, cell: 6, gap: 2 }),
  tileGrid({ count: 200, tileHeight: 5, tileWidth: 5, across: 10, cell: 3, gap: 1 }),
  bandGrid({ units: 50, inputs: 320, perBand: 160, cell: 1, gap: 3 }),
  bandGrid({ units: 10, inputs: 50, perBand: 50, cell: 3, gap: 3 }),
].map((tiles) => {
  const values = Float32Array.from(
    { length: tiles.kernels * tiles.kernelSize },
    (_, index) => Math.sin(index) / 3,
  );
  return { tiles, values, pixels: new Uint32Array(tiles.width * tiles.height), scale: new Scale() };
});
const { pixels: colours } = colourTable('dark');
const scales = Float64Array.of(0.2);

describe('one look at 21,750 weights', () => {
  bench('paint', () => {
    for (const { tiles, values, pixels } of pictures) {
      paintTiles({ pixels, width: tiles.width }, tiles, values, scales, colours);
    }
  });

  bench('scales', () => {
    for (const { values, scale } of pictures) scale.update([wholeOf(values)], { hold: false, settle: false });
  });
});
