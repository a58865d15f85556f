import { describe, expect, test } from 'vitest';
import { stepEffectOf } from '../scene/step-effect';
import { paintStepChart } from './step-chart';
import { drawLog } from './testing/draw-log';
import type { Tokens } from './tokens';

const tokens = {
  panel: 'panel',
  line: 'line',
  line2: 'line2',
  ink: 'ink',
  ink2: 'ink2',
  ink3: 'ink3',
  live: 'live',
  liveText: 'live-text',
  font: 'sans-serif',
} as Tokens;

function painted(losses: readonly (readonly [number, number | 'NaN'])[], curvature = 0.02): string[] {
  const { context, log } = drawLog();
  const effect = stepEffectOf({
    step: 1,
    examples: 64,
    points: losses.map(([share, loss]) => ({ share, loss })),
    slopes: [],
    slope: -0.1,
    curvature,
  });
  paintStepChart(context, effect, { width: 220, height: 129 }, tokens);
  return log;
}

/** Middles of the dots of a colour. */
const dots = (log: string[], colour: string): string[] =>
  log.flatMap((entry, at) =>
    entry === `fillStyle ${colour}` && log[at + 2]?.startsWith('arc') === true
      ? [
          log[at + 2]!.split(' ')
            .slice(1, 3)
            .map((part) => Number(part).toFixed(1))
            .join(' '),
        ]
      : [],
  );

describe('the chart of a step', () => {
  const line = [
    [0, 2],
    [1, 1.9],
    [2, 1.8],
  ] as const;

  test('has each loss that was measured at its place, and where the step landed in lime', () => {
    const log = painted(line, 0);
    // Shares 0 to 2 over 10 .. 210; the highest loss near the top, the lowest near the axis.
    expect(dots(log, 'ink')).toEqual(['10.0 19.0', '210.0 94.0']);
    expect(dots(log, 'live')).toEqual(['110.0 56.5']);
  });

  test('leaves out what is no finite number, and lands nowhere then', () => {
    const log = painted([
      [0, 2],
      [1, 'NaN'],
    ]);
    expect([dots(log, 'ink').length, dots(log, 'live').length]).toEqual([1, 0]);
  });

  test('draws the slope from the loss before the step on', () => {
    const log = painted(line, 0);
    const dashed = log.findIndex((entry) => entry.startsWith('setLineDash 3'));
    const [from, to] = log.slice(dashed).filter((entry) => /^(moveTo|lineTo)/.test(entry));
    expect([from, to]).toEqual(['moveTo 10 19', 'lineTo 210 94']);
  });

  test('names its axes', () => {
    const texts = painted(line).filter((entry) => entry.startsWith('fillText'));
    expect(texts.some((text) => text.includes('share of the step'))).toBe(true);
    expect(texts.some((text) => text.includes('loss of the same 64 images'))).toBe(true);
  });
});
