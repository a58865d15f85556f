import { expect, test } from 'vitest';
import { KernelHistory } from './kernel-history';

test('keeps the whole time since it began, thinned, in order and of bounded size', () => {
  const history = new KernelHistory();
  for (let step = 1; step <= 20_000; step += 1) history.see(step, step, -step);
  const { weights, gradients } = history;
  expect(weights.length).toBeLessThanOrEqual(2048);
  expect(weights.length).toBeGreaterThan(1000);
  expect(weights[0]).toBeLessThanOrEqual(20);
  expect(weights.at(-1)).toBeGreaterThan(19_950);
  expect(weights.every((value, index) => index === 0 || value > (weights[index - 1] ?? 0))).toBe(true);
  expect(gradients.every((value, index) => value === -(weights[index] ?? 0))).toBe(true);
  expect(history.firstStep).toBe(1);
});

test('a picture painted twice counts once, and an earlier step begins anew', () => {
  const history = new KernelHistory();
  history.see(5, 1, 1);
  history.see(5, 2, 2);
  history.see(6, 3, 3);
  expect([...history.weights]).toEqual([1, 3]);
  history.see(2, 9, 9);
  expect([...history.weights]).toEqual([9]);
  expect(history.firstStep).toBe(2);
});
