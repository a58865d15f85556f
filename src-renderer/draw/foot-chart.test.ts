import { describe, expect, test } from 'vitest';
import { ColumnSeries } from '../scene/column-series';
import { linearLane } from '../scene/lane-scale';
import { markAt, paintFootChart, SCALE_ROOM, type FootChart, type Lane } from './foot-chart';
import { drawLog } from './testing/draw-log';
import type { Tokens } from './tokens';

const tokens: Tokens = {
  panel: 'panel',
  sunk: 'sunk',
  line: 'line',
  line2: 'line2',
  ink: 'ink',
  ink2: 'ink2',
  ink3: 'ink3',
  live: 'live',
  liveInk: 'live-ink',
  liveText: 'live-text',
  warn: 'warn',
  nan: 'nan',
  mark: 'white',
  zero: 'zero',
  gapPixel: 0,
  keys: ['k1', 'k2', 'k3', 'k4'],
  font: 'sans-serif',
};
const WIDTH = 1000 + SCALE_ROOM;

function chart(change: Partial<FootChart>, lane: Partial<Lane> = {}): string[] {
  const { context, log } = drawLog();
  const scale = linearLane(0, 1);
  const plain: Lane = {
    top: 6,
    height: 36,
    ...scale,
    floor: 0,
    highest: '1',
    lowest: '0',
    traces: [],
    dots: [],
    shaded: false,
    ...lane,
  };
  paintFootChart(
    context,
    {
      width: WIDTH,
      axisTop: 120,
      lanes: [plain],
      step: 500,
      isOver: false,
      lastStep: 1000,
      epochStarts: [],
      ...change,
    },
    tokens,
  );
  return log;
}

const texts = (log: string[]): string[] =>
  log.filter((entry) => entry.startsWith('fillText')).map((entry) => entry.split(' ').slice(1, -2).join(' '));

describe('the chart of the run', () => {
  test('the playhead stands at the finished step, in lime, and says which', () => {
    const log = chart({});
    const lime = log.indexOf('strokeStyle live-text');
    expect(log.slice(lime).find((entry) => entry.startsWith('moveTo'))).toBe('moveTo 500.5 2');
    expect(texts(log)).toContain('500');
  });

  test('after the end nothing of it is lit', () => {
    const log = chart({ isOver: true });
    expect(log.filter((entry) => /\blive/u.test(entry))).toEqual([]);
    expect(texts(log)).toContain('500');
  });

  test('labels of the axis leave room to the playhead and to the epochs', () => {
    const labels = texts(chart({ step: 410, epochStarts: [600] }));
    expect(labels).toContain('epoch 2');
    expect(labels).not.toContain('400');
    expect(labels).not.toContain('600');
    expect(labels).toContain('200');
  });

  test('of very many epochs only some are named', () => {
    const epochStarts = Array.from({ length: 99 }, (_, index) => (index + 1) * 10);
    const named = texts(chart({ epochStarts, step: 995 })).filter((text) => text.startsWith('epoch'));
    expect(named.length).toBeGreaterThan(3);
    expect(named.length).toBeLessThan(15);
  });

  test('a running average is not joined across the epoch at which it begins anew', () => {
    const axis = { lastStep: 1000, columns: 1001 };
    const series = new ColumnSeries(axis, 1);
    series.update(Float32Array.from({ length: 400 }, (_, index) => (index < 200 ? 0.9 : 0.1)));
    const trace = { series, colour: 'trace', dash: [], range: false };
    const moves = (breaks: number[]): number => {
      const log = chart({ step: 400 }, { traces: [{ ...trace, breaks }] });
      const own = log.slice(log.indexOf('strokeStyle trace'));
      return own.slice(0, own.indexOf('stroke')).filter((entry) => entry.startsWith('moveTo')).length;
    };
    expect(moves([])).toBe(1);
    expect(moves([200])).toBe(2);
  });

  test('a test result below the lane is drawn hollow at its edge, one that is not a number not at all', () => {
    const hollow = chart({}, { dots: [{ step: 100, value: -0.5 }] });
    expect(hollow.filter((entry) => entry.startsWith('arc')).length).toBe(2);
    expect(hollow).not.toContain('fillStyle ink');
    const none = chart({}, { dots: [{ step: 100, value: NaN }] });
    expect(none.some((entry) => entry.startsWith('arc'))).toBe(false);
  });

  // Catches: training that goes on through NaN without a mark.
  test('a NaN is marked at its step in its own colour, and found by pointing at it', () => {
    const marks = [
      { step: 200, isNonFinite: false, words: 'weights opened' },
      { step: 400, isNonFinite: true, words: '12 NaN' },
    ];
    const log = chart({ marks });
    const nan = log.slice(log.indexOf('strokeStyle nan'));
    expect(nan.find((entry) => entry.startsWith('moveTo'))).toMatch(/^moveTo 400\.5 /);
    expect(log.indexOf('strokeStyle ink2')).toBeLessThan(log.indexOf('strokeStyle nan'));
    const axis = { axisTop: 120, lanes: [], step: 500, isOver: false, lastStep: 1000, epochStarts: [] };
    expect([203, 404, 300].map((at) => markAt({ ...axis, width: WIDTH, marks }, at))).toEqual([0, 1, -1]);
  });
});
