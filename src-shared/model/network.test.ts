import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { layerSpecSchema, planNetwork, type LayerSpec, type NetworkSpec } from './network';
import { optimiserSchema } from './optimiser';

const ending: LayerSpec[] = [
  { kind: 'flatten', name: 'flatten' },
  { kind: 'dense', name: 'fc1', units: 3 },
];
const specOf = (layer: LayerSpec, input: NetworkSpec['input'] = [2, 6, 7]): NetworkSpec => ({
  input,
  layers: [layer, ...ending],
  loss: 'softmaxCrossEntropy',
});

describe('planNetwork', () => {
  // Catches: an extent of PyTorch's formula that is off by one, along one side or for one kind of window.
  it.each([
    [{ kind: 'conv2d', name: 'x', filters: 4, kernelSize: 3, stride: 1, padding: 0 }, [4, 4, 5]],
    [{ kind: 'conv2d', name: 'x', filters: 4, kernelSize: 3, stride: 2, padding: 1 }, [4, 3, 4]],
    [{ kind: 'conv2d', name: 'x', filters: 4, kernelSize: 9, stride: 3, padding: 2 }, [4, 1, 1]],
    [{ kind: 'conv2d', name: 'x', filters: 4, kernelSize: 1, stride: 1, padding: 2 }, [4, 10, 11]],
    [{ kind: 'maxPool2d', name: 'x', size: 2, stride: 2, padding: 0 }, [2, 3, 3]],
    [{ kind: 'maxPool2d', name: 'x', size: 3, stride: 1, padding: 1 }, [2, 6, 7]],
    [{ kind: 'averagePool2d', name: 'x', size: 2, stride: 3, padding: 1 }, [2, 3, 3]],
    [{ kind: 'leakyRelu', name: 'x', slope: 0.1 }, [2, 6, 7]],
    [{ kind: 'sigmoid', name: 'x' }, [2, 6, 7]],
    [{ kind: 'tanh', name: 'x' }, [2, 6, 7]],
  ] as [LayerSpec, number[]][])('gives %j the shape %j', (layer, shape) => {
    expect(layerSpecSchema.parse(layer)).toEqual(layer);
    expect(planNetwork(specOf(layer)).layers[0]?.outputShape).toEqual(shape);
  });

  // Catches: a network that is planned and then read beyond its maps, or a sentence that leaves out the layer or the reason.
  it.each([
    [{ kind: 'conv2d', name: 'x', filters: 1, kernelSize: 7, stride: 1, padding: 0 }, 'a side of only 6'],
    [
      { kind: 'conv2d', name: 'x', filters: 1, kernelSize: 9, stride: 1, padding: 1 },
      'a side of only 6, with its padding 8',
    ],
    [{ kind: 'maxPool2d', name: 'x', size: 3, stride: 1, padding: 2 }, 'more than half its window of 3'],
    [{ kind: 'averagePool2d', name: 'x', size: 8, stride: 1, padding: 0 }, 'a window of 8 x 8'],
    [{ kind: 'dense', name: 'x', units: 2 }, 'it takes one row of values'],
  ] as [LayerSpec, string][])('refuses %j', (layer, reason) => {
    expect(() => planNetwork(specOf(layer))).toThrow(`Layer x (${layer.kind})`);
    expect(() => planNetwork(specOf(layer))).toThrow(reason);
  });

  it('counts the inputs of a kernel, not of the map that it slides over', () => {
    const conv: LayerSpec = {
      kind: 'conv2d',
      name: 'x',
      filters: 4,
      kernelSize: 3,
      stride: 2,
      padding: 1,
    };
    const [weight, bias] = planNetwork(specOf(conv)).parameters;
    expect(weight).toMatchObject({ shape: [4, 2, 3, 3], fanIn: 18, fanOut: 36 });
    expect(bias?.shape).toEqual([4]);
  });

  // Catches: a window without a value in it, whose largest value would be made up.
  it('has a value of the image in every window of a pool', () => {
    const number = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });
    fc.assert(
      fc.property(number(9), number(5), number(4), fc.nat(2), (side, size, stride, padding) => {
        fc.pre(padding <= size / 2 && size <= side + 2 * padding);
        const pool: LayerSpec = { kind: 'maxPool2d', name: 'x', size, stride, padding };
        const [, height = 0] = planNetwork(specOf(pool, [1, side, side])).layers[0]?.outputShape ?? [];
        for (let y = 0; y < height; y += 1) {
          const top = y * stride - padding;
          expect(Math.min(side, top + size)).toBeGreaterThan(Math.max(0, top));
        }
      }),
    );
  });
});

describe('optimisers', () => {
  it('refuse what torch.optim refuses', () => {
    const sgd = { kind: 'sgd', learningRate: 0.1, momentum: 0, nesterov: true, weightDecay: 0 };
    expect(optimiserSchema.safeParse(sgd).error?.message).toContain('Nesterov needs a momentum above 0');
    expect(optimiserSchema.safeParse({ ...sgd, momentum: 0.5 }).success).toBe(true);
    expect(optimiserSchema.safeParse({ ...sgd, nesterov: false, weightDecay: -1 }).success).toBe(false);
    const adam = {
      kind: 'adam',
      learningRate: 0.1,
      beta1: 0.9,
      beta2: 1,
      epsilon: 1e-8,
      weightDecay: 0,
    };
    expect(optimiserSchema.safeParse(adam).success).toBe(false);
    expect(optimiserSchema.safeParse({ ...adam, beta2: 0.999 }).success).toBe(true);
  });
});
