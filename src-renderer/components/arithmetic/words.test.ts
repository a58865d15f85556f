import { expect, test } from 'vitest';
import type { ExplanationOf } from '../../../src-shared/protocol/explanation';
import { differenceWords, passedReason, sharesReason, sumSentence, updateLines } from './words';

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
  expect(differenceWords({ ...terms, sum: 0.5 + 2 ** -26 })).toBe(
    `1.5e${minus}8 apart: rounding to float32, at most 0.0044`,
  );
  expect(differenceWords({ ...terms, terms: 9, sum: 0.6 })).toBe(
    `0.10 apart, but rounding to float32 explains at most 2.0e${minus}6`,
  );
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
  expect(sumSentence({ ...passed, rule: 'tanh', direction: 'forward', factor: null })).toContain(
    'tanh(0.2500) = ',
  );
});

// Catches: an error that came through windows that overlap, told as if there were one.
test('an error that came through windows says through how many', () => {
  const shares: ExplanationOf<'shares'> = {
    form: 'shares',
    rule: 'maxPool',
    shares: [],
    value: 0.75,
    sum: 0.75,
    absolute: 0.75,
    step: 1,
  };
  const share = (operand: number, factor: number) => ({ from: 0, operand, factor });
  expect(sharesReason(shares)).toBe('no window reaches this place, so no error comes back');
  expect(sumSentence(shares)).toContain('nothing comes back = ');
  expect(sharesReason({ ...shares, shares: [share(0.5, 1)] })).toContain('it won its window');
  expect(sharesReason({ ...shares, shares: [share(0.5, 0)] })).toContain('another value won its window');
  const two = { ...shares, shares: [share(0.5, 1), share(3, 0), share(0.25, 1)] };
  expect(sharesReason(two)).toContain('it won 2 of the 3 windows');
  expect(sumSentence(two)).toContain('1.000 × 0.5000 + 1.000 × 0.2500 = 0.7500');
  expect(sharesReason({ ...two, rule: 'averagePool' })).toContain('the 3 windows it is in');
});

// Catches: Adam's or Nesterov's rule with lines of plain momentum, or a number in another place than its formula.
test('the lines of every optimiser', () => {
  const update = {
    form: 'update',
    count: 2,
    gradient: 0.5,
    decayed: 0.6,
    direction: 0.9,
    weightBefore: 1,
    weightSum: 0.91,
    weightAfter: 0.91,
    update: -0.09,
    step: 2,
  } as const;
  const rules = (lines: ReturnType<typeof updateLines>): string[] => lines.map(([rule]) => rule);
  const nesterov = updateLines({
    ...update,
    optimiser: { kind: 'sgd', learningRate: 0.1, momentum: 0.5, nesterov: true, weightDecay: 0.1 },
    state: [{ slot: 'momentum', before: 0, sum: 0.6, after: 0.6 }],
  });
  expect(rules(nesterov)).toEqual([
    'd = g + 0.1 W',
    'v = 0.5 v + d',
    's = d + 0.5 v',
    `W = W ${minus} 0.1 s`,
  ]);
  expect(nesterov[2]?.[1]).toBe('0.6000 + 0.5 × 0.6000 = 0.9000');
  const adam = updateLines({
    ...update,
    optimiser: { kind: 'adam', learningRate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0 },
    state: [
      { slot: 'firstMoment', before: 0, sum: 0.06, after: 0.06 },
      { slot: 'secondMoment', before: 0, sum: 0.0036, after: 0.0036 },
    ],
  });
  expect(rules(adam)).toEqual([
    'm = 0.9 m + 0.1 g',
    'v = 0.99 v + 0.01 g²',
    's = m̂ / (√v̂ + ε)',
    `W = W ${minus} 0.1 s`,
  ]);
  expect(adam[2]?.[1]).toContain(`0.06000 / (1 ${minus} 0.9^2)`);
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
