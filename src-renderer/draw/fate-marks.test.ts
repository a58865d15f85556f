import { describe, expect, test } from 'vitest';
import { FATE } from '../scene/error-path';
import { tileGrid } from '../scene/tiles';
import { markFates } from './fate-marks';
import { drawLog } from './testing/draw-log';

const colours = { outline: 'white', faintOutline: 'silver', cross: 'grey', windows: 'dim' };
const { passed, lost, stopped } = FATE;
// Two maps of 2 x 2 values of 10 pixels, 4 apart; drawn with a margin of 2.
const tiles = tileGrid({ count: 2, tileHeight: 2, tileWidth: 2, across: 2, cell: 10, gap: 4 });
const fates = Uint8Array.of(lost, passed, lost, lost, lost, lost, stopped, lost);

describe('marks of where an error came from', () => {
  // Catches: a mark in the wrong map or cell, an outline that covers the colour of its cell.
  test('are an outline round the cell that passed and a cross inside the one that was stopped, and no other', () => {
    const { context, log } = drawLog();
    markFates(context, { tiles, pixelRatio: 1 }, { fates, outlined: true, window: null }, colours);
    expect(log.filter((entry) => entry.startsWith('strokeRect'))).toEqual(['strokeRect 11.5 1.5 11 11']);
    expect(log.filter((entry) => /^(move|line)To/.test(entry))).toEqual([
      'moveTo 29 15',
      'lineTo 33 19',
      'moveTo 33 15',
      'lineTo 29 19',
    ]);
  });

  test('leave what passed alone where nothing competed', () => {
    const { context, log } = drawLog();
    markFates(context, { tiles, pixelRatio: 1 }, { fates, outlined: false, window: null }, colours);
    expect(log.some((entry) => entry.startsWith('strokeRect'))).toBe(false);
  });

  test('are an open box in a unit that was dropped, and nothing all over a map that was', () => {
    const units = tileGrid({ count: 2, tileHeight: 1, tileWidth: 1, across: 2, cell: 8, gap: 2 });
    const dropped = { fates: Uint8Array.of(passed, FATE.dropped), outlined: false, window: null };
    const { context, log } = drawLog();
    markFates(context, { tiles: units, pixelRatio: 1 }, dropped, colours);
    expect(log.filter((entry) => entry.startsWith('strokeRect'))).toEqual(['strokeRect 14.5 4.5 3 3']);
    const map = drawLog();
    const all = { fates: new Uint8Array(8).fill(FATE.dropped), outlined: true, window: null };
    markFates(map.context, { tiles, pixelRatio: 1 }, all, colours);
    expect(map.log.some((entry) => /^(strokeRect|lineTo)/.test(entry))).toBe(false);
  });

  // Catches: lines through the windows, or round what no window holds.
  test('part the pooling windows of each map', () => {
    const wide = tileGrid({ count: 1, tileHeight: 4, tileWidth: 5, across: 1, cell: 8, gap: 2 });
    const { context, log } = drawLog();
    const none = new Uint8Array(20).fill(lost);
    markFates(context, { tiles: wide, pixelRatio: 1 }, { fates: none, outlined: true, window: 2 }, colours);
    expect(log.filter((entry) => entry.startsWith('fillRect'))).toEqual([
      'fillRect 18 2 1 32',
      'fillRect 2 18 32 1',
    ]);
  });

  test('are left out where a cell has no room for them', () => {
    const small = tileGrid({ count: 2, tileHeight: 2, tileWidth: 2, across: 2, cell: 3, gap: 1 });
    const { context, log } = drawLog();
    markFates(context, { tiles: small, pixelRatio: 1 }, { fates, outlined: true, window: 2 }, colours);
    expect(log).toEqual([]);
  });
});
