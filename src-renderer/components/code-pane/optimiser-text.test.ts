import { expect, test } from 'vitest';
import type { OptimiserSpec } from '../../../src-shared/model/optimiser';
import { constructorLines, optimiserWords, updateRule, weightRule } from './optimiser-text';

const SGD = { kind: 'sgd', learningRate: 0.1, momentum: 0.9, nesterov: false, weightDecay: 0 } as const;
const ADAM = {
  kind: 'adam',
  learningRate: 0.001,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0.1,
} as const;

/** Runs the lines on one weight, as a student would, and gives the weight after each of the gradients. */
function run(optimiser: OptimiserSpec, gradients: readonly number[]): number[] {
  const lines = [...updateRule(optimiser), weightRule(optimiser)].map((line) =>
    /^[a-z] = /.test(line) ? `let ${line}` : line,
  );
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the text is what is tested
  const step = new Function('p', 't', 'sqrt', lines.join(';')) as (
    p: object,
    t: number,
    sqrt: (x: number) => number,
  ) => void;
  const p = { w: 1, g: 0, v: 0, m: 0 };
  return gradients.map((gradient, index) => {
    p.g = gradient;
    step(p, index + 1, Math.sqrt);
    return p.w;
  });
}

/** torch.optim.SGD and Adam of PyTorch 2.13 in float64, from w = 1. */
test.each([
  ['momentum', SGD, [0.95, 0.93]],
  ['no momentum', { ...SGD, momentum: 0 }, [0.95, 0.975]],
  ['Nesterov and weight decay', { ...SGD, nesterov: true, weightDecay: 0.1 }, [0.886, 0.868066]],
  ['Adam', ADAM, [0.9990000000166667, 0.9985306706608355]],
] as const)('the lines of %s do what PyTorch does', (_, optimiser, expected) => {
  run(optimiser, [0.5, -0.25]).forEach((weight, step) => {
    expect(weight).toBeCloseTo(expected[step] ?? Number.NaN, 10);
  });
});

test('what is off is not written', () => {
  expect(constructorLines(SGD)).toEqual(['opt = SGD(0.1, momentum=0.9)']);
  expect(constructorLines({ ...SGD, nesterov: true, weightDecay: 0.01 }).join('')).toContain(
    'nesterov=True,  weight_decay=0.01)',
  );
  expect(optimiserWords(SGD)).toBe('Learning rate 0.1, momentum 0.9');
  expect(optimiserWords(ADAM)).toBe('Learning rate 0.001, betas 0.9 and 0.999, weight decay 0.1');
});
