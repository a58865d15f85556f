import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parabolaAt, stepEffectOf, verdictOf, type StepEffect, isLowestShown } from './step-effect';

const effect = (change: Partial<Parameters<typeof stepEffectOf>[0]> = {}): StepEffect =>
  stepEffectOf({
    step: 7,
    examples: 64,
    points: [
      { share: 0, loss: 2 },
      { share: 1, loss: 1.91 },
      { share: -0.5, loss: 2.1 },
      { share: 2, loss: 1.9 },
    ],
    slopes: [{ layer: 'conv1', slope: -0.1 }],
    slope: -0.1,
    curvature: 0.02,
    ...change,
  });
const after = (loss: number | 'NaN', change: Partial<Parameters<typeof stepEffectOf>[0]> = {}): StepEffect =>
  effect({
    points: [
      { share: 0, loss: 2 },
      { share: 1, loss },
    ],
    ...change,
  });

describe('what a step did', () => {
  it('is read from the points by their share, whatever their order', () => {
    const { before, after: landed, change, points, minimum } = effect();
    expect([before, landed, points.map(({ share }) => share)]).toEqual([2, 1.91, [-0.5, 0, 1, 2]]);
    expect([change, minimum]).toEqual([expect.closeTo(-0.09, 12), 5]);
  });

  it('has the minimum where the parabola is lowest, and none where it opens downward', () => {
    const part = fc.double({ min: 0.01, max: 10, noNaN: true });
    fc.assert(
      fc.property(part, part, (fall, curvature) => {
        const found = effect({ slope: -fall, curvature });
        const lowest = found.minimum ?? Number.NaN;
        for (const beside of [lowest - 0.1, lowest + 0.1]) {
          expect(parabolaAt(found, lowest)).toBeLessThan(parabolaAt(found, beside));
        }
        expect(effect({ slope: -fall, curvature: -curvature }).minimum).toBeNull();
      }),
    );
  });

  it('shows the minimum only where the loss was measured around it', () => {
    expect([isLowestShown(effect()), isLowestShown(effect({ curvature: 0.1 }))]).toEqual([false, true]);
  });
});

describe('the verdict', () => {
  it.each([
    [
      'a cautious step',
      effect(),
      'It helped: the loss fell by 0.090, 90 % of what the slope promised.',
      'It was cautious: the minimum is at 5.0 times the step.',
    ],
    [
      'a step past the minimum',
      after(1.98, { slope: -0.1, curvature: 0.16 }),
      'It helped: the loss fell by 0.020, 20 % of what the slope promised.',
      'It went past the best place: the minimum is at 0.6 of the step.',
    ],
    [
      'a step too far',
      after(2.05, { slope: -0.1, curvature: 0.3 }),
      'It did not help: the loss rose by 0.050.',
      'It overshot: the minimum is at 0.3 of the step.',
    ],
    [
      'a step uphill',
      after(2.05, { slope: 0.04, curvature: 0.02 }),
      'It did not help: the loss rose by 0.050.',
      'Momentum carried the step against the gradient of this minibatch.',
    ],
    [
      'a step uphill that fell',
      after(1.95, { slope: 0.04, curvature: -0.2 }),
      'It helped by luck: the slope promised a rise, but the loss fell by 0.050.',
      'Momentum carried the step against the gradient of this minibatch.',
    ],
    [
      'a step on a loss that curves downward',
      after(1.88, { curvature: -0.04 }),
      'It helped: the loss fell by 0.120, 120 % of what the slope promised.',
      'The loss curves downward here, so the parabola has no minimum.',
    ],
    [
      'a step that changed nothing',
      after(2, { slope: 0 }),
      'It did not help: the loss stayed what it was.',
      'The loss has no slope along the step.',
    ],
    [
      'a step on a plateau',
      after(1.99992, { slope: -0.0001, curvature: 0.00004 }),
      'It hardly helped: the loss fell by 8.0e−5, 4.0e−3 % of it.',
      'It was cautious: the minimum is at 2.5 times the step.',
    ],
    [
      'a step whose change rounding could have made',
      after(2 - 3e-6, { slope: -1e-6, curvature: 0 }),
      'No change that can be told: the losses differ by 3.0e−6, and rounding to float32 makes as much.',
      '',
    ],
    [
      'a step that rose by less than rounding',
      after(2 + 1e-7, { slope: 0, curvature: 0 }),
      'No change that can be told: the losses differ by 1.0e−7, and rounding to float32 makes as much.',
      'The loss has no slope along the step.',
    ],
    ['a step to NaN', after('NaN'), 'The loss is no finite number, so nothing can be said of this step.', ''],
  ])('of %s says in words what the numbers say', (_, found, sentence, because) => {
    expect(verdictOf(found)).toMatchObject({ sentence, because });
  });
});
