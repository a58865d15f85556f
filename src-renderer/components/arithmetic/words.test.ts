import { expect, test } from 'vitest';
import type { ExplanationOf } from '../../../src-shared/protocol/explanation';
import { differenceWords, passedReason, sumSentence, updateLines } from './words';

const minus = '\u2212';
const terms: ExplanationOf<'terms'> = {
  form: 'terms',
  left: 'error',
  right: 'input',
  axes: ['example', 'row', 'column'],
  largest: [],
  rest: 0.5,
  bias: null,
  terms: 36864,
  zeros: 30000,
  value: 0.5,
  sum: 0.5,
  absolute: 2,
  step: 3,
};

test('the sum of a gradient, and of an output with its bias apart', () => {
  expect(sumSentence(terms)).toBe('sum of 36,864 products = 0.5000; tensor 0.5000');
  expect(sumSentence({ ...terms, right: null })).toBe('sum of 36,864 errors = 0.5000; tensor 0.5000');
  expect(sumSentence({ ...terms, terms: 25, bias: -0.03, sum: 0.382, value: 0.382 })).toBe(
    `sum of 25 products 0.4120 + bias ${minus}0.03000 = 0.3820; tensor 0.3820`,
  );
});

// Catches: a NaN that is smoothed over in the words, or a difference that is hidden.
test('what is not finite or not the same is said', () => {
  expect(sumSentence({ ...terms, sum: 'NaN', value: 'NaN' })).toBe(
    'sum of 36,864 products = NaN; tensor NaN',
  );
  expect(differenceWords({ ...terms, sum: 'NaN' })).toBe('not finite');
  expect(differenceWords(terms)).toBe('the same to the last digit');
  expect(differenceWords({ ...terms, sum: 0.5 + 2 ** -26 })).toBe(`1.5e${minus}8 apart: rounding to float32`);
});

const passed: ExplanationOf<'passed'> = {
  form: 'passed',
  rule: 'relu',
  direction: 'backward',
  operand: 0.25,
  from: 7,
  factor: 0,
  decidedBy: 0,
  value: 0,
  sum: 0,
  absolute: 0,
  step: 1,
};

test('a value that was only passed on or stopped says why', () => {
  expect(sumSentence(passed)).toBe('0 \u00d7 0.2500 = 0; tensor 0');
  expect(passedReason(passed)).toBe('its output is 0, so the error stops here');
  expect(passedReason({ ...passed, factor: 1, decidedBy: 0.5 })).toBe(
    'its output is 0.5000, above zero: the error passes',
  );
  expect(sumSentence({ ...passed, direction: 'forward', operand: -2 })).toBe(
    `max(0, ${minus}2.000) = 0; tensor 0`,
  );
  expect(passedReason({ ...passed, rule: 'dropout', factor: 2 })).toBe(
    'kept, and scaled up for those that are dropped',
  );
  expect(passedReason({ ...passed, rule: 'maxPool', operand: null })).toBe(
    'no window reaches this edge, so no error comes back',
  );
});

test('the two lines of an update, with enough digits to see the weight move', () => {
  const [velocity, weight] = updateLines({
    form: 'update',
    optimiser: { kind: 'sgd', learningRate: 0.01, momentum: 0.5, nesterov: false, weightDecay: 0 },
    count: 2,
    gradient: 0.01,
    decayed: 0.01,
    state: [{ slot: 'momentum', before: 0.02, sum: 0.02, after: 0.02 }],
    direction: 0.02,
    weightBefore: 0.1,
    weightSum: 0.0998,
    weightAfter: 0.0998,
    update: -0.0002,
    step: 1,
  });
  expect(velocity).toEqual(['v = 0.5 v + g', '0.5 \u00d7 0.02000 + 0.01000 = 0.02000', '0.02000']);
  expect(weight).toEqual([
    `W = W ${minus} 0.01 v`,
    `0.1000000 ${minus} 0.01 \u00d7 0.02000 = 0.09980000`,
    '0.09980000',
  ]);
});

// Catches: the formula of the right loss shown for a recipe that applies softmax twice.
test('the error of the logits is what their loss makes it', () => {
  const loss: ExplanationOf<'loss'> = {
    form: 'loss',
    probability: 0.25,
    target: 1,
    again: null,
    examples: 2,
    value: -0.375,
    sum: -0.375,
    absolute: 0.625,
    step: 1,
  };
  expect(sumSentence(loss)).toBe(
    `(probability 0.2500 ${minus} target 1) / 2 examples = ${minus}0.3750; tensor ${minus}0.3750`,
  );
  expect(sumSentence({ ...loss, again: { probability: 0.125, mean: -0.125 }, sum: -0.09375 })).toContain(
    `probability 0.2500 × (second softmax 0.1250 ${minus} target 1 ${minus} mean ${minus}0.1250) / 2 examples = `,
  );
});
