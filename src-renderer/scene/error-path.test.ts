import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planNetwork, type LayerPlan, type LayerSpec } from '../../src-shared/model/network';
import { FATE, fatesAlong, poolWinners, strongestMap, type PathLayer } from './error-path';

const relu: LayerSpec = { kind: 'relu', name: 'relu' };
const pool = (size: number, name = 'pool', stride = size, padding = 0): LayerSpec => ({
  kind: 'maxPool2d',
  name,
  size,
  stride,
  padding,
});
const average = (size: number, stride: number, padding = 0): LayerSpec => ({
  kind: 'averagePool2d',
  name: 'average',
  size,
  stride,
  padding,
});
const drop = (unit: 'channel' | 'element'): LayerSpec => ({
  kind: 'dropout',
  name: 'dropout',
  rate: 0.5,
  unit,
});

const next = (stream: Iterator<number>): number => Number(stream.next().value);

/** Plans of a few layers without weights after an input of this shape. */
function plansOf(shape: [number, number, number], specs: readonly LayerSpec[]): LayerPlan[] {
  const layers = [
    ...specs,
    { kind: 'flatten', name: 'flatten' } as const,
    { kind: 'dense', name: 'fc', units: 1 } as const,
  ];
  return planNetwork({ input: shape, layers, loss: 'softmaxCrossEntropy' }).layers.slice(0, specs.length);
}

/** A layer forward, by the book and one value at a time. */
function forward(
  { spec, inputShape, outputShape }: LayerPlan,
  input: Float32Array,
  mask: Float32Array,
): Float32Array {
  const [, height = 1, width = 1] = inputShape;
  const [channels = 1, outHeight = 1, outWidth = 1] = outputShape;
  if (spec.kind === 'relu') return input.map((value) => Math.max(value, 0));
  if (spec.kind === 'leakyRelu') return input.map((value) => (value > 0 ? value : value * spec.slope));
  if (spec.kind === 'dropout')
    return input.map((value, index) => value * (mask[Math.floor((index * mask.length) / input.length)] ?? 0));
  if (spec.kind !== 'maxPool2d' && spec.kind !== 'averagePool2d') throw new Error(spec.kind);
  const { size, stride, padding } = spec;
  return Float32Array.from({ length: channels * outHeight * outWidth }, (_, out) => {
    const x = out % outWidth;
    const y = Math.floor(out / outWidth) % outHeight;
    const channel = Math.floor(out / (outWidth * outHeight));
    const window = Array.from({ length: size * size }, (__, at) => {
      const row = y * stride - padding + Math.floor(at / size);
      const column = x * stride - padding + (at % size);
      const isInside = row >= 0 && column >= 0 && row < height && column < width;
      return isInside ? (input[(channel * height + row) * width + column] ?? 0) : null;
    }).filter((value) => value !== null);
    return spec.kind === 'maxPool2d'
      ? Math.max(...window)
      : window.reduce((sum, value) => sum + value, 0) / size ** 2;
  });
}

function run(
  plans: readonly LayerPlan[],
  input: Float32Array,
  masks: readonly Float32Array[],
): { path: PathLayer[]; output: Float32Array } {
  const path: PathLayer[] = [];
  let current = input;
  plans.forEach((layer, at) => {
    const mask = masks[at] ?? new Float32Array(1);
    const output = forward(layer, current, mask);
    path.push({ layer, input: current, output, mask: layer.spec.kind === 'dropout' ? mask : null });
    current = output;
  });
  return { path, output: current };
}

/** Far less than the inputs of a comparison, or their means, are apart where they differ at all. */
const NUDGE = 2 ** -8;

/** Means of different values can be 0 or equal; there a nudge turns a comparison round, and no derivative tells of it. */
function isDecided(path: readonly PathLayer[]): boolean {
  const average = path.findIndex(({ layer }) => layer.spec.kind === 'averagePool2d');
  return path
    .filter((_, at) => average !== -1 && at > average)
    .every(({ layer, input }) =>
      layer.spec.kind === 'relu'
        ? input.every((value) => Math.abs(value) > NUDGE)
        : new Set(input).size === input.length,
    );
}

const chains: LayerSpec[][] = [
  [relu],
  [pool(2)],
  [pool(2), relu],
  [relu, pool(2)],
  [drop('channel'), pool(2), relu],
  [relu, pool(3), drop('element')],
  [pool(2), relu, pool(2, 'pool2')],
  [pool(3, 'pool', 2, 1), relu],
  [relu, pool(2, 'pool', 1)],
  [pool(2, 'pool', 1), drop('element'), pool(3, 'pool2', 1, 1), relu],
  [{ kind: 'leakyRelu', name: 'leaky', slope: 0.25 }, average(2, 2), relu],
  [relu, average(2, 3, 1)],
  [average(3, 1, 1), pool(2)],
];

describe('the way of an error back', () => {
  // Catches: a winner in the wrong window or channel, an error that is said to pass where a nudge of the value changes
  // nothing, a mask read by value where it is by channel.
  test('passes exactly where a nudge of the value changes what comes out', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...chains),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 4, max: 7 }),
        fc.integer({ min: 4, max: 7 }),
        fc.infiniteStream(fc.integer({ min: 0, max: 1_000_000 })),
        (specs, channels, height, width, stream) => {
          const plans = plansOf([channels, height, width], specs);
          const size = channels * height * width;
          // All different and none near zero, so that a small nudge turns no comparison round.
          const keys = Array.from({ length: size }, (_, place) => ({ place, key: next(stream) }));
          const input = new Float32Array(size);
          keys
            .sort((a, b) => a.key - b.key)
            .forEach(({ place }, rank) => {
              input[place] = rank - Math.floor(size / 2) + 0.5;
            });
          const masks = plans.map(({ spec, inputShape }) => {
            const length =
              spec.kind === 'dropout' && spec.unit === 'channel'
                ? channels
                : inputShape.reduce((a, b) => a * b);
            return Float32Array.from({ length }, () => (next(stream) % 2) * 2);
          });
          const { path, output } = run(plans, input, masks);
          fc.pre(isDecided(path));
          const fates = fatesAlong(path);
          expect(fates).toHaveLength(size);
          input.forEach((value, index) => {
            const nudged = input.slice();
            nudged[index] = value + NUDGE;
            const changed = run(plans, nudged, masks).output.some((one, at) => one !== output[at]);
            expect(
              fates[index] === FATE.passed,
              `value ${String(index)} of ${specs.map(({ kind }) => kind).join()}`,
            ).toBe(changed);
          });
        },
      ),
    );
  });

  // Catches: a cross on every position instead of on the one that would have had the error.
  test('tells why it is stopped: lost to a larger neighbour, stopped by ReLU, dropped', () => {
    const plans = plansOf([2, 2, 2], [drop('channel'), pool(2), relu]);
    const { path } = run(plans, Float32Array.of(-3, -1, -2, -4, 5, 6, 7, 8), [Float32Array.of(2, 0)]);
    const { lost, stopped, dropped } = FATE;
    expect([...fatesAlong(path)]).toEqual([lost, stopped, lost, lost, dropped, dropped, dropped, dropped]);
  });

  test('nothing is stopped where there is no layer on the way', () => {
    expect(fatesAlong([])).toEqual(new Uint8Array(0));
  });
});

describe('max-pooling', () => {
  // Catches: another rule for ties and NaN than PyTorch's (each line was run in PyTorch).
  test.each([
    [[5, 5, 5, 5], 0],
    [[1, 2, 2, 1], 1],
    [[0, -0, 0, 0], 0],
    [[-Infinity, -Infinity, -Infinity, -Infinity], 0],
    [[1, NaN, 9, 2], 1],
    [[NaN, 9, NaN, 2], 2],
  ])('of %j takes place %i', (values, winner) => {
    expect([
      ...poolWinners(Float32Array.from(values), [1, 2, 2], { size: 2, stride: 2, padding: 0 }),
    ]).toEqual([winner]);
  });

  test('has one winner a window, inside it, and no value there is larger', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 2, max: 7 }),
        fc.integer({ min: 2, max: 7 }),
        fc.integer({ min: 1, max: 3 }),
        fc.infiniteStream(fc.integer({ min: -3, max: 3 })),
        (channels, height, width, size, stream) => {
          fc.pre(size <= height && size <= width);
          const input = Float32Array.from({ length: channels * height * width }, () => next(stream));
          const [outHeight, outWidth] = [Math.floor(height / size), Math.floor(width / size)];
          const winners = poolWinners(input, [channels, height, width], { size, stride: size, padding: 0 });
          expect(winners).toHaveLength(channels * outHeight * outWidth);
          winners.forEach((winner, out) => {
            const [y, x] = [Math.floor(winner / width) % height, winner % width];
            const channel = Math.floor(winner / (height * width));
            expect([channel, Math.floor(y / size), Math.floor(x / size)]).toEqual([
              Math.floor(out / (outHeight * outWidth)),
              Math.floor(out / outWidth) % outHeight,
              out % outWidth,
            ]);
            for (let row = y - (y % size); row < y - (y % size) + size; row += 1) {
              for (let column = x - (x % size); column < x - (x % size) + size; column += 1) {
                const index = (channel * height + row) * width + column;
                // Of equals the first.
                if (index < winner) expect(input[index]).toBeLessThan(input[winner] ?? 0);
                else expect(input[index]).toBeLessThanOrEqual(input[winner] ?? 0);
              }
            }
          });
        },
      ),
    );
  });
});

test('the strongest map is that of the largest |values|, whatever their sign', () => {
  expect(strongestMap(Float32Array.of(1, 1, -3, 0, 2, -1), 3)).toBe(1);
  expect(strongestMap(new Float32Array(6), 3)).toBe(0);
});
