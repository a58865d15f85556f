import { describe, expect, test } from 'vitest';
import {
  DEAD_PICTURES,
  FilterSilence,
  healthLabel,
  healthOf,
  healthSentence,
  ratioOf,
  type HealthInput,
} from './health';

const series = (value: number, length = 60): Float32Array => new Float32Array(length).fill(value);
const healthy: HealthInput = {
  nan: 0,
  infinite: 0,
  gradientNorms: series(0.5),
  updateNorms: series(0.003),
  weightNorms: series(3),
  losses: series(1.1),
  classes: 10,
  from: 0,
  deadFilters: [],
  silence: { filters: [], pictures: 0 },
};
const of = (change: Partial<HealthInput>): HealthInput => ({ ...healthy, ...change });
const label = (change: Partial<HealthInput>): string => healthLabel(healthOf(of(change)));
const sentence = (change: Partial<HealthInput>): string => healthSentence(healthOf(of(change)));

describe('healthOf', () => {
  test('names what is wrong, the gravest first', () => {
    expect(label({})).toBe('healthy');
    expect(label({ deadFilters: [3, 7] })).toBe('2 dead');
    expect(label({ updateNorms: series(1), deadFilters: [3] })).toBe('exploding');
    expect(label({ updateNorms: series(1e-6) })).toBe('slow');
    expect(label({ nan: 12, infinite: 3, updateNorms: series(1) })).toBe('12 NaN');
    expect(label({ infinite: 3 })).toBe('3 infinite');
  });

  test('says nothing before the first step, but a NaN at once', () => {
    const empty = new Float32Array(0);
    const none = { gradientNorms: empty, updateNorms: empty, weightNorms: empty, losses: empty };
    expect(label(none)).toBe('');
    expect(label({ ...none, nan: 1 })).toBe('1 NaN');
  });

  test('one wild step among fifty is not exploding', () => {
    const updateNorms = series(0.003);
    updateNorms[55] = 30;
    expect(label({ updateNorms })).toBe('healthy');
  });

  // Catches: `healthy` for weights that are all zero, where |dW| / |W| is 0 / 0.
  test('a layer without any gradient says so after its first step', () => {
    const dead = { gradientNorms: series(0, 1), updateNorms: series(0, 1), weightNorms: series(0, 1) };
    expect(label(dead)).toBe('no gradient');
    const gradientNorms = series(0.5);
    gradientNorms.fill(0, 57);
    expect(label({ gradientNorms })).toBe('no gradient');
    expect(sentence({ gradientNorms })).toBe(
      'Every g of these weights was exactly 0 in the last 3 steps, so no loss moves them.',
    );
  });

  // Catches: `healthy` where every update is lost in rounding, with W at 0 or not.
  test('weights that do not move are slow', () => {
    expect(label({ updateNorms: series(0) })).toBe('slow');
    expect(label({ updateNorms: series(0), weightNorms: series(0) })).toBe('slow');
    expect(sentence({ updateNorms: series(0), weightNorms: series(0) })).toBe(
      'W did not move in the last 10 steps.',
    );
  });

  // The numbers of keras-double-softmax at its plateau, and the least of the sound recipes.
  test('the dense layers of a plateau are slow, and no layer is healthy while the loss is that of guessing', () => {
    const plateau = { weightNorms: series(1), losses: series(2.3) };
    expect(label({ ...plateau, updateNorms: series(7.1e-5) })).toBe('slow');
    expect(label({ ...plateau, updateNorms: series(3.5e-4) })).toBe('not yet');
    expect(sentence({ ...plateau, updateNorms: series(3.5e-4) })).toBe(
      'No verdict yet: the loss is 2.30, mean of 50 steps, and guessing gives 2.30.',
    );
    expect(label({ weightNorms: series(1), updateNorms: series(3.4e-4), losses: series(2.2) })).toBe(
      'healthy',
    );
  });

  test('is not said of few steps, nor of weights that are no longer there', () => {
    const few = { gradientNorms: series(1, 9), updateNorms: series(1, 9), weightNorms: series(1, 9) };
    expect(label(few)).toBe('not yet');
    expect(label({ from: 55 })).toBe('not yet');
    expect(sentence({ from: 60 })).toBe(
      'No verdict yet: 0 of 10 steps since the weights were replaced at step 60.',
    );
    // What was zero before they were replaced is not said of them.
    expect(label({ gradientNorms: series(0), from: 60 })).toBe('not yet');
  });

  // Catches: `not yet` said of a layer that was healthy before.
  test('a filter that fell silent is named, and is no verdict that is still to come', () => {
    const silence = { filters: [0, 3, 7, 8, 9], pictures: 4 };
    expect(label({ silence })).toBe('5 silent');
    expect(sentence({ silence })).toBe(
      'Filters 0, 3, 7, 8 and 1 more got no gradient in the last 4 pictures of different steps; dead is after 32.',
    );
    expect(sentence({ silence: { filters: [2], pictures: 1 } })).toBe(
      'Filter 2 got no gradient in the last picture; dead is after 32.',
    );
    expect(label({ silence, deadFilters: [1] })).toBe('1 dead');
    expect(label({ silence, losses: series(2.3) })).toBe('5 silent');
    expect(label({ silence, from: 55 })).toBe('not yet');
  });

  test('every verdict has a sentence with its value and rule', () => {
    expect(sentence({ updateNorms: series(1) })).toBe(
      '|dW|/|W| is 0.333, median of 50 steps; exploding is above 0.1.',
    );
    expect(sentence({ updateNorms: series(3e-5) })).toMatch(
      /^\|dW\|\/\|W\| is 1\.0e−5, median of 50 steps; slow is below 1\.0e−4\.$/,
    );
    expect(sentence({ deadFilters: [4] })).toBe(
      'Filter 4 got no gradient in the last 32 pictures of different steps.',
    );
    expect(sentence({ nan: 1, infinite: 2 })).toBe(
      '1 NaN and 2 infinite among the values of W, g or dW in the newest picture.',
    );
    expect(sentence({})).toMatch(/every filter gets a gradient, and the loss is below that of guessing/);
  });
});

test('a ratio exists only of finite numbers over what is not 0', () => {
  expect(ratioOf(0.003, 3)).toBe(0.001);
  expect(ratioOf(0, 3)).toBe(0);
  for (const [update, weight] of [
    [0, 0],
    [1, 0],
    [NaN, 3],
    [1, NaN],
    [Infinity, Infinity],
    [Infinity, 3],
    [undefined, 3],
  ])
    expect(ratioOf(update, weight)).toBeNull();
});

describe('FilterSilence', () => {
  const gradient = Float32Array.of(0, 0, 0.1, 0, 0, 0);
  const allActive = new Float32Array(6).fill(0.1);

  test('calls a filter dead after so many pictures of different steps without a gradient', () => {
    const filters = new FilterSilence(3);
    for (let step = 1; step < DEAD_PICTURES; step += 1) filters.see(step, gradient);
    expect(filters.dead()).toEqual([]);
    filters.see(DEAD_PICTURES, gradient);
    expect(filters.dead()).toEqual([0, 2]);
    filters.see(DEAD_PICTURES + 1, Float32Array.of(0, 1e-30, 0, 0, 0, 0));
    expect(filters.dead()).toEqual([2]);
  });

  test('the same step drawn again is no further evidence, nor is a layer without any gradient', () => {
    const filters = new FilterSilence(3);
    for (let look = 0; look < 300; look += 1) filters.see(5, gradient);
    for (let step = 6; step < 300; step += 1) filters.see(step, new Float32Array(6));
    expect(filters.dead()).toEqual([]);
  });

  test('a run that went back has another past', () => {
    const filters = new FilterSilence(3);
    for (let step = 1; step <= DEAD_PICTURES; step += 1) filters.see(step, gradient);
    filters.see(1, gradient);
    expect(filters.dead()).toEqual([]);
  });

  test('a NaN is not silence', () => {
    const filters = new FilterSilence(1);
    for (let step = 1; step <= DEAD_PICTURES; step += 1) filters.see(step, Float32Array.of(NaN, 0));
    expect(filters.dead()).toEqual([]);
  });

  test('a filter that was always active is silent after two pictures, one that is so every other time is not', () => {
    const steady = new FilterSilence(3);
    for (let step = 1; step <= 250; step += 1) steady.see(step, allActive);
    steady.see(251, gradient);
    expect(steady.silent().filters).toEqual([]);
    steady.see(252, gradient);
    expect(steady.silent()).toEqual({ filters: [0, 2], pictures: 2 });
    const fitful = new FilterSilence(3);
    for (let step = 1; step <= 250; step += 1) fitful.see(step, step % 2 === 0 ? gradient : allActive);
    for (let step = 251; step <= 256; step += 1) fitful.see(step, gradient);
    expect(fitful.silent().filters).toEqual([]);
  });

  test('a filter is held to its newer habits, and a wide layer is not doubted more often than a narrow one', () => {
    const sparser = new FilterSilence(2);
    for (let picture = 1; picture <= 500; picture += 1) sparser.see(picture, Float32Array.of(1, 1));
    for (let picture = 501; picture <= 800; picture += 1)
      sparser.see(picture, Float32Array.of(picture % 5 < 3 ? 0 : 1, 1));
    for (let picture = 801; picture <= 809; picture += 1) sparser.see(picture, Float32Array.of(0, 1));
    expect(sparser.silent().filters).toEqual([]);
    const wide = new FilterSilence(128);
    const rest = new Float32Array(128).fill(1);
    const without = Float32Array.from(rest, (value, unit) => (unit === 5 ? 0 : value));
    for (let picture = 1; picture <= 400; picture += 1) wide.see(picture, picture % 8 === 0 ? without : rest);
    for (let picture = 401; picture <= 404; picture += 1) wide.see(picture, without);
    expect(wide.silent().filters).toEqual([]);
  });

  test('a filter that never had a gradient is silent from the first picture, until it is dead', () => {
    const filters = new FilterSilence(3);
    const silent: boolean[] = [];
    for (let step = 1; step <= DEAD_PICTURES; step += 1) {
      filters.see(step, gradient);
      silent.push(filters.silent().filters.includes(0));
    }
    expect([silent.indexOf(true) + 1, silent.at(-2), silent.at(-1)]).toEqual([1, true, false]);
  });
});
