import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planNetwork } from '../../../src-shared/model/network';
import { recipeNamed } from '../../../src-shared/model/recipe';
import { type Cell, cellTitle, moved, planesOf, questionOf } from './cell';

const plan = planNetwork(recipeNamed('pytorch-paper').network);

// Catches: a name that points at another value than the one asked about.
test('a value is called by its place, as the kernels are', () => {
  const title = (layer: string, kind: Cell['kind'], index: number): string =>
    cellTitle(plan, { layer, kind, index });
  expect(title('conv2', 'gradient', (3 * 10 + 7) * 25 + 2 * 5 + 1)).toBe(
    'conv2 filter 3 input 7, row 2 column 1: gradient',
  );
  expect(title('conv2', 'weight', 0)).toBe('conv2 filter 0 input 0, row 0 column 0: gradient of this weight');
  expect(title('fc1', 'update', 12 * 320 + 5)).toBe('fc1 unit 12, input 5: update');
  expect(title('pool1', 'output', 3 * 144 + 12 + 2)).toBe('pool1 map 3, row 1 column 2: output');
  expect(title('fc1', 'digitError', 49)).toBe('fc1 unit 49: error');
});

test('a weight is asked about by its gradient, a map by the example on the screen', () => {
  const ask = (kind: Cell['kind']): unknown => questionOf({ layer: 'conv1', kind, index: 4 }, 3);
  expect(ask('weight')).toEqual({ name: 'conv1.weight', kind: 'gradient', index: 4, example: 0 });
  expect(ask('update')).toEqual({ name: 'conv1.weight', kind: 'update', index: 4, example: 0 });
  expect(ask('error')).toEqual({ name: 'conv1', kind: 'error', index: 4, example: 3 });
});

// Catches: an arrow that leaves its kernel at an edge, or the tensor at its end.
test('arrows stay in the kernel or map, page keys in the tensor', () => {
  const kinds = ['weight', 'gradient', 'update', 'output', 'digitError'] as const;
  const layers = ['conv1', 'conv2', 'fc1', 'fc2'];
  const step = fc.constantFrom(-1, 0, 1);
  fc.assert(
    fc.property(
      fc.constantFrom(...layers),
      fc.constantFrom(...kinds),
      fc.nat(),
      fc.array(fc.record({ rows: step, columns: step, planes: step })),
      (layer, kind, start, walk) => {
        const planes = planesOf(plan, { layer, kind }) ?? expect.fail();
        const size = planes.height * planes.width;
        let cell: Cell = { layer, kind, index: start % (planes.count * size) };
        for (const by of walk) {
          const next = moved(cell, planes, by);
          expect(next.index).toBeGreaterThanOrEqual(0);
          expect(next.index).toBeLessThan(planes.count * size);
          const plane = (index: number): number => Math.floor(index / size);
          expect(Math.abs(plane(next.index) - plane(cell.index))).toBeLessThanOrEqual(Math.abs(by.planes));
          cell = next;
        }
      },
    ),
  );
  expect(
    moved({ layer: 'conv2', kind: 'weight', index: 4 }, { count: 200, height: 5, width: 5 }, { columns: 1 })
      .index,
  ).toBe(4);
});
