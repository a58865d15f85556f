import { expect, test } from 'vitest';
import type { Status } from '../../src-shared/protocol/messages';
import { shownEpoch, shownStep } from './shown-step';

const status = (change: Partial<Status>): Status =>
  ({
    state: 'running',
    step: 205,
    epoch: 3,
    epochs: 5,
    stepInEpoch: 5,
    stepsPerEpoch: 100,
    ...change,
  }) as Status;
const picture = (step: number): { inWords: () => { step: number } } => ({ inWords: () => ({ step }) });

test('while training runs, what is shown is of the picture; standing, of where it stands', () => {
  expect(shownStep(status({}), picture(196))).toBe(196);
  expect(shownStep(status({ state: 'paused' }), picture(196))).toBe(205);
  expect(shownStep(status({}), { inWords: () => null })).toBe(205);
});

test('the epoch is that of the step', () => {
  expect([100, 101, 200, 201, 205, 300, 301].map((step) => shownEpoch(status({}), step))).toEqual([
    1, 2, 2, 3, 3, 3, 4,
  ]);
  expect(shownEpoch(status({ epochs: 3 }), 301), 'no epoch beyond the last').toBe(3);
  expect(shownEpoch(status({ state: 'finished', step: 500, epoch: 5, stepInEpoch: 100 }), 500)).toBe(5);
});
