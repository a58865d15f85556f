import { beforeEach, expect, test } from 'vitest';
import { planNetwork } from '../../src-shared/model/network';
import { recipeNamed } from '../../src-shared/model/recipe';
import { setTaken, sortAgain, sortAllAgain, sortBy, sortByNext, sortingOf } from './sorting';
import { appStore, INITIAL_STATE, type LayerSorting } from './store';

const plan = planNetwork(recipeNamed('pytorch-paper').network);
const taken = { order: [2, 0, 1], step: 7, since: null };
const sorting = (layer: string): LayerSorting => sortingOf(appStore.getState().view.sorting, layer);

beforeEach(() => {
  appStore.setState({ ...INITIAL_STATE, plan }, true);
});

test('an order that is asked for again holds until the new one is taken, so nothing jumps in between', () => {
  sortBy('conv2', 'filters', 'gradient');
  expect(sorting('conv2').filters).toEqual({ by: 'gradient', taken: null, wanted: true });
  setTaken('conv2', 'filters', taken);
  expect(sorting('conv2').filters).toEqual({ by: 'gradient', taken, wanted: false });
  sortAgain('conv2');
  expect(sorting('conv2').filters).toEqual({ by: 'gradient', taken, wanted: true });
  expect(sorting('conv2').inputs, 'an axis that was never sorted').toBeNull();
});

test('index is no order to take, and an order that cannot be had is that of the tensor', () => {
  sortBy('conv2', 'filters', 'gradient');
  setTaken('conv2', 'filters', null);
  expect(sorting('conv2').filters).toBeNull();
  sortBy('conv2', 'inputs', 'weight');
  sortBy('conv2', 'inputs', 'index');
  expect(sorting('conv2').inputs).toBeNull();
});

test('the key goes round through the measures, of the chosen layer or of all, and comes back to index', () => {
  sortByNext();
  expect(['conv1', 'conv2', 'fc1', 'fc2'].map((layer) => sorting(layer).filters?.by)).toEqual(
    Array.from({ length: 4 }, () => 'weight'),
  );
  appStore.setState(({ view }) => ({
    view: { ...view, selection: { layer: 'fc1', filter: 3, input: null } },
  }));
  const seen = [];
  for (let press = 0; press < 4; press += 1) {
    sortByNext();
    seen.push(sorting('fc1').inputs?.by ?? 'index');
  }
  expect(seen).toEqual(['gradient', 'ratio', 'change100', 'index']);
  expect(sorting('conv2').filters?.by, 'a layer that is not chosen').toBe('weight');
  sortAllAgain();
  expect(sorting('fc1').filters).toBeNull();
});
