import { expect, test } from 'vitest';
import { planNetwork } from '../../src-shared/model/network';
import { RECIPES } from '../../src-shared/model/recipe';
import { watchItemSchema } from '../../src-shared/protocol/messages';
import { watchList } from './watch-list';

/** A layer of more values than this has fewer pixels than values, and is reduced by the trainer. */
const WHOLE = 65_536;

test.each(RECIPES)('$name: every filter, gradient and update, whole where it can be', ({ network }) => {
  const plan = planNetwork(network);
  const items = watchList(plan);
  for (const { name, size } of plan.parameters) {
    for (const kind of ['weight', 'gradient', 'update'] as const) {
      const item = items.find((other) => other.name === name && other.kind === kind);
      expect(item?.maxValues, `${name} ${kind} would be reduced`).toBeGreaterThanOrEqual(
        Math.min(size, WHOLE),
      );
    }
  }
  expect(items.map((item) => watchItemSchema.parse(item))).toEqual(items);
  expect(items.filter(({ kind }) => kind === 'digitProbabilities')).toHaveLength(1);
});

test('nothing is asked for twice', () => {
  for (const { network } of RECIPES) {
    const keys = watchList(planNetwork(network)).map(({ name, kind }) => `${kind} ${name}`);
    expect(new Set(keys).size).toBe(keys.length);
  }
});
