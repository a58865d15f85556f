import { describe, expect, test } from 'vitest';
import { DEAD_PICTURES, DeadFilters, healthLabel, healthOf, type HealthInput } from './health';

const healthy: HealthInput = {
  nan: 0,
  infinite: 0,
  updateNorms: Float32Array.of(0.003, 0.003),
  weightNorms: Float32Array.of(3, 3),
  deadFilters: [],
};
const label = (change: Partial<HealthInput>): string => healthLabel(healthOf({ ...healthy, ...change }));

describe('healthOf', () => {
  test('names what is wrong, the worst first', () => {
    expect(label({})).toBe('healthy');
    expect(label({ deadFilters: [3, 7] })).toBe('2 dead');
    expect(label({ updateNorms: Float32Array.of(1, 1), deadFilters: [3] })).toBe('exploding');
    expect(label({ updateNorms: Float32Array.of(1e-6, 1e-6) })).toBe('vanishing');
    expect(label({ nan: 12, infinite: 3, updateNorms: Float32Array.of(1, 1) })).toBe('12 NaN');
    expect(label({ infinite: 3 })).toBe('3 infinite');
  });

  test('says nothing before the first step, but a NaN at once', () => {
    const none = { updateNorms: new Float32Array(0), weightNorms: new Float32Array(0) };
    expect(label(none)).toBe('');
    expect(label({ ...none, nan: 1 })).toBe('1 NaN');
  });

  test('one wild step among fifty is not exploding', () => {
    const updateNorms = new Float32Array(60).fill(0.003);
    updateNorms[55] = 30;
    expect(label({ updateNorms, weightNorms: new Float32Array(60).fill(3) })).toBe('healthy');
  });
});

describe('DeadFilters', () => {
  const gradient = Float32Array.of(0, 0, 0.1, 0, 0, 0);

  test('calls a filter dead after a hundred pictures of different steps without a gradient', () => {
    const filters = new DeadFilters(3);
    for (let step = 1; step < DEAD_PICTURES; step += 1) filters.see(step, gradient);
    expect(filters.dead()).toEqual([]);
    filters.see(DEAD_PICTURES, gradient);
    expect(filters.dead()).toEqual([0, 2]);
    filters.see(DEAD_PICTURES + 1, Float32Array.of(0, 1e-30, 0, 0, 0, 0));
    expect(filters.dead()).toEqual([2]);
  });

  test('the same step drawn again is no further evidence, nor is a layer without any gradient', () => {
    const filters = new DeadFilters(3);
    for (let look = 0; look < 300; look += 1) filters.see(5, gradient);
    for (let step = 6; step < 300; step += 1) filters.see(step, new Float32Array(6));
    expect(filters.dead()).toEqual([]);
  });

  test('a run that went back has another past', () => {
    const filters = new DeadFilters(3);
    for (let step = 1; step <= DEAD_PICTURES; step += 1) filters.see(step, gradient);
    filters.see(1, gradient);
    expect(filters.dead()).toEqual([]);
  });

  test('a NaN is not silence', () => {
    const filters = new DeadFilters(1);
    for (let step = 1; step <= DEAD_PICTURES; step += 1) filters.see(step, Float32Array.of(NaN, 0));
    expect(filters.dead()).toEqual([]);
  });
});
