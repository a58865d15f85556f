import { describe, expect, test } from 'vitest';
import { bandGrid, tileGrid } from '../scene/tiles';
import { markCanvasSize, markDeadKernels, markDeadMaps, markNonFinite } from './marks';
import { drawLog } from './testing/draw-log';

const colours = { nan: 'pink', zero: 'black' };
const tiles = tileGrid({ count: 2, tileHeight: 2, tileWidth: 2, across: 2, cell: 4, gap: 2 });

describe('marks of NaN and infinity', () => {
  test('nothing is drawn where every value is finite', () => {
    const { context, log } = drawLog();
    markNonFinite(context, { tiles, pixelRatio: 1 }, new Float32Array(8), colours);
    expect(log).toEqual([]);
  });

  test('the cell is hatched and its kernel, and no other, gets an edge just outside', () => {
    const { context, log } = drawLog();
    markNonFinite(context, { tiles, pixelRatio: 1 }, Float32Array.of(0, 0, 0, 0, 0, NaN, 0, 0), colours);
    // Kernel 1 begins at 10 + margin 2; its value 1 lies 4 further right.
    expect(log).toContain('rect 16 2 4 4');
    expect(log.filter((entry) => entry.startsWith('rect'))).toHaveLength(1);
    expect(log.filter((entry) => entry.startsWith('fillRect'))).toEqual([
      'fillRect 11 2 1 8',
      'fillRect 20 2 1 8',
      'fillRect 11 1 10 1',
      'fillRect 11 10 10 1',
    ]);
    expect(log).toContain('strokeStyle black');
    expect(log).toContain('lineWidth 2');
    expect(log).toContain('fillStyle pink');
  });

  test('an infinity is marked too, and everything grows with the pixel ratio', () => {
    const double = tileGrid({ count: 2, tileHeight: 2, tileWidth: 2, across: 2, cell: 8, gap: 4 });
    const { context, log } = drawLog();
    markNonFinite(
      context,
      { tiles: double, pixelRatio: 2 },
      Float32Array.of(-Infinity, 0, 0, 0, 0, 0, 0, 0),
      colours,
    );
    expect(log).toContain('rect 4 4 8 8');
    expect(log).toContain('lineWidth 4');
    expect(log).toContain('fillRect 2 4 2 16');
  });

  test('one bad weight in a row one pixel high stays solid, so that no stripe can swallow it; the edge hides no neighbour', () => {
    const rows = bandGrid({ units: 3, inputs: 4, perBand: 4, cell: 1, gap: 1 });
    const values = new Float32Array(12);
    values[5] = NaN;
    const { context, log } = drawLog();
    markNonFinite(context, { tiles: rows, pixelRatio: 1 }, values, colours);
    expect(log.some((entry) => entry.startsWith('rect'))).toBe(false);
    expect(log.filter((entry) => entry.startsWith('fillRect'))).toEqual([
      'fillRect 1 3 1 1',
      'fillRect 6 3 1 1',
    ]);
  });

  test('a row that is bad from end to end is hatched as one', () => {
    const rows = bandGrid({ units: 3, inputs: 4, perBand: 4, cell: 1, gap: 1 });
    const { context, log } = drawLog();
    markNonFinite(context, { tiles: rows, pixelRatio: 1 }, new Float32Array(12).fill(NaN), colours);
    expect(log.filter((entry) => entry.startsWith('rect'))).toHaveLength(3);
  });
});

describe('marks of dead filters', () => {
  test('are a notch in the corner of a tile, a bar beside a row, and a struck outline round a map', () => {
    const notch = drawLog();
    markDeadKernels(notch.context, { tiles, pixelRatio: 1 }, [1], 'yellow');
    expect(notch.log).toEqual([
      'fillStyle yellow',
      'beginPath',
      'moveTo 12 2',
      'lineTo 17 2',
      'lineTo 12 7',
      'closePath',
      'fill',
    ]);

    const bar = drawLog();
    const rows = bandGrid({ units: 3, inputs: 4, perBand: 2, cell: 1, gap: 1 });
    markDeadKernels(bar.context, { tiles: rows, pixelRatio: 1 }, [2], 'yellow');
    expect(bar.log).toEqual(['fillStyle yellow', 'fillRect 0 4 2 1', 'fillRect 0 8 2 1']);

    const map = drawLog();
    markDeadMaps(map.context, { tiles, pixelRatio: 1 }, [0], 'yellow');
    expect(map.log).toContain('strokeRect 2.5 2.5 7 7');
    expect(map.log.slice(-3)).toEqual(['moveTo 2 10', 'lineTo 10 2', 'stroke']);
  });

  test('have room outside the picture', () => {
    expect(markCanvasSize({ tiles, pixelRatio: 1 })).toEqual({ width: 22, height: 12 });
  });
});
