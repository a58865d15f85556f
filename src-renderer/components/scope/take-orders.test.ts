import { beforeEach, expect, test } from 'vitest';
import { planNetwork } from '../../../src-shared/model/network';
import { recipeNamed } from '../../../src-shared/model/recipe';
import { WeightSnapshots } from '../../frames/weight-snapshots';
import { networkRows, type LayerRow } from '../../scene/network-rows';
import type { SortMeasure } from '../../scene/sorting';
import { sortBy, sortingOf } from '../../state/sorting';
import { appStore, INITIAL_STATE, type TakenOrder } from '../../state/store';
import { takeOrders } from './take-orders';
import { pictureOf, type TestTensor } from './testing';

const plan = planNetwork(recipeNamed('pytorch-paper').network);
const rows = networkRows(plan).filter((row): row is LayerRow => row.kind === 'layer');
const UNITS = 10;

/** fc2, whose unit u has `size(u)` everywhere. */
const tensor = (
  kind: TestTensor['kind'],
  size: (unit: number) => number,
  change: Partial<TestTensor> = {},
): TestTensor => ({
  name: 'fc2.weight',
  kind,
  shape: [UNITS, 50],
  values: Float32Array.from({ length: UNITS * 50 }, (_, index) => size(Math.floor(index / 50))),
  ...change,
});
const upwards = (unit: number): number => unit + 1;
const downwards = (unit: number): number => UNITS - unit;
const UP = [9, 8, 7, 6, 5, 4, 3, 2, 1, 0];
const DOWN = UP.toReversed();

beforeEach(() => {
  appStore.setState({ ...INITIAL_STATE, plan }, true);
});

function taken(
  by: SortMeasure,
  tensors: readonly TestTensor[],
  snapshots: WeightSnapshots = new WeightSnapshots([10]),
): TakenOrder | null {
  sortBy('fc2', 'filters', by);
  takeOrders(rows, pictureOf(12, 'step', tensors), snapshots);
  return sortingOf(appStore.getState().view.sorting, 'fc2').filters?.taken ?? null;
}

test('each measure sorts by its own tensor, largest first, and says of which step', () => {
  const tensors = [
    tensor('weight', upwards),
    tensor('gradient', downwards),
    tensor('update', (unit) => (unit === 4 ? 1000 : 1)),
  ];
  expect(taken('weight', tensors)).toEqual({ order: UP, step: 12, since: null });
  expect(taken('gradient', tensors)).toEqual({ order: DOWN, step: 12, since: null });
  // |dW|/|W|: unit 4 first, then those with the smallest weights.
  expect(taken('ratio', tensors)?.order.slice(0, 3)).toEqual([4, 0, 1]);
});

// Catches: 0 / 0 taken for the largest ratio of all.
test('a unit that is 0 and does not move comes last by its ratio', () => {
  const zeroAt4 = (unit: number): number => (unit === 4 ? 0 : 1);
  const tensors = [tensor('weight', zeroAt4), tensor('update', zeroAt4)];
  expect(taken('ratio', tensors)?.order).toEqual([0, 1, 2, 3, 5, 6, 7, 8, 9, 4]);
});

test('a change is between two steps that are both told', () => {
  const snapshots = new WeightSnapshots([10]);
  snapshots.see(pictureOf(1, 'step', [tensor('weight', upwards)]), ['fc2.weight']);
  snapshots.see(pictureOf(9, 'step', [tensor('weight', upwards)]), ['fc2.weight']);
  const moved = tensor('weight', (unit) => upwards(unit) + (unit === 6 ? 0.5 : 0));
  const order = taken('change10', [moved], snapshots);
  expect([order?.order[0], order?.step, order?.since]).toEqual([6, 12, 1]);
});

test.each([
  ['gradient', [tensor('weight', upwards)], 'its single values are not on the screen'],
  [
    'gradient',
    [tensor('weight', upwards), tensor('gradient', upwards, { freshness: 'cleared' })],
    'the gradient is cleared',
  ],
  [
    'ratio',
    [tensor('weight', upwards), tensor('update', upwards, { freshness: 'notYet' })],
    'there is no update yet',
  ],
  ['change10', [tensor('weight', upwards)], 'this page has seen no earlier weights to compare with'],
] as const)('what %s cannot be taken by is said, and the order stays', (by, tensors, why) => {
  expect(taken(by, tensors)).toBeNull();
  const { notice, view } = appStore.getState();
  expect(notice?.message).toBe(`fc2 stays in the order of its indices: ${why}.`);
  expect(sortingOf(view.sorting, 'fc2').filters).toBeNull();
});
