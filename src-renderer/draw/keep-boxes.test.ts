import { expect, test } from 'vitest';
import { boxesSize, boxRows, paintBoxes } from './keep-boxes';
import { drawLog } from './testing/draw-log';

const colours = { kept: 'ink', dropped: 'line', unknown: 'dim' };

// Catches: kept and dropped the wrong way round, a box beyond the canvas.
test('kept is a filled box, dropped an open one, and boxes wrap into rows', () => {
  const rows = boxRows(3, 9, 10);
  expect(boxesSize(rows)).toEqual({ width: 9, height: 22 });
  const { context, log } = drawLog();
  paintBoxes(context, rows, Float32Array.of(2, 0, 2), colours);
  expect(log).toEqual([
    'lineWidth 1',
    'fillStyle ink',
    'fillRect 0 0 4 10',
    'strokeStyle line',
    'strokeRect 5.5 0.5 3 9',
    'fillStyle ink',
    'fillRect 0 12 4 10',
  ]);
});

// Catches: boxes cut to a line where all of them are in one row.
test('with all the room there is they are in one row', () => {
  expect(boxesSize(boxRows(20, Number.POSITIVE_INFINITY, 10))).toEqual({ width: 99, height: 10 });
});

test('what is not decided yet is neither', () => {
  const { context, log } = drawLog();
  paintBoxes(context, boxRows(1, 9, 10), null, colours);
  expect(log.slice(1)).toEqual(['fillStyle dim', 'fillRect 0 9 4 1']);
});
