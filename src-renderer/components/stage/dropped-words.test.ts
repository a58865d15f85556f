import { expect, test } from 'vitest';
import { planNetwork } from '../../../src-shared/model/network';
import { RECIPES } from '../../../src-shared/model/recipe';
import { droppedSentence, droppersOf } from './dropped-words';

const recipe = RECIPES.find(({ name }) => name === 'pytorch-paper');
if (recipe === undefined) throw new Error('no recipe pytorch-paper');
const plan = planNetwork(recipe.network);
const layer = (name: string): (typeof plan.layers)[number] => {
  const found = plan.layers.find(({ spec }) => spec.name === name);
  if (found === undefined) throw new Error(`no layer ${name}`);
  return found;
};
const droppersAt = (name: string): string[] => droppersOf(plan, layer(name)).map(({ spec }) => spec.name);

// Catches: a map whose error is 0 everywhere at conv2, with no word of the dropout that made it so.
test('at every layer between two with weights it is known which dropout decides about its maps', () => {
  for (const name of ['conv2', 'pool2', 'relu2', 'flatten'])
    expect(droppersAt(name), name).toEqual(['dropout1']);
  for (const name of ['fc1', 'relu3']) expect(droppersAt(name), name).toEqual(['dropout2']);
  for (const name of ['conv1', 'pool1', 'relu1', 'fc2', 'dropout1', 'dropout2']) {
    expect(droppersAt(name), name).toEqual([]);
  }
});

test('it is said whether the map was dropped or kept, on the way there and back', () => {
  const mask = new Float32Array(20).fill(2);
  mask[3] = 0;
  const say = (map: number, direction: 'forward' | 'backward'): string =>
    droppedSentence(mask, layer('dropout1'), map, direction);
  expect(say(3, 'backward')).toBe('Map 3 was dropped by dropout1: no error comes back through it.');
  expect(say(4, 'backward')).toBe('Map 4 was kept by dropout1: its error comes back times 2.');
  expect(say(3, 'forward')).toBe('Map 3 was dropped by dropout1: it gives 0 from there on.');
  expect(say(4, 'forward')).toBe('Map 4 was kept by dropout1, times 2.');
  const units = new Float32Array(50).fill(2);
  expect(droppedSentence(units, layer('dropout2'), 7, 'backward')).toBe(
    'Unit 7 was kept by dropout2: its error comes back times 2.',
  );
});
