import fc from 'fast-check';
import { planNetwork, type LayerSpec, type NetworkPlan } from '../../../src-shared/model/network';

/** Random numbers in [0, 1): which layer it is, and its first and second number. */
type Draw = readonly [kind: number, first: number, second: number, third: number];

/** What a random number in [0, 1) picks. */
const pick = <T>(choices: readonly T[], random: number): T => choices[Math.floor(random * choices.length)]!;
const upTo = (largest: number, random: number): number => 1 + Math.floor(random * largest);

const IMAGE_KINDS = [
  ...['conv2d', 'conv2d', 'conv2d', 'maxPool2d', 'maxPool2d', 'averagePool2d', 'relu', 'leakyRelu'],
  ...['sigmoid', 'tanh', 'channel', 'element'],
] as const;
const ROW_KINDS = ['dense', 'dense', 'relu', 'leakyRelu', 'sigmoid', 'tanh', 'element'] as const;

/**
 * Small networks of every kind of layer in any order and either loss, extents of 1 included (there a kernel may take two axes for one),
 * strides smaller and larger than the window, with and without padding. Convolution and pooling come before flatten, as shapes demand.
 */
export const arbitraryNetwork: fc.Arbitrary<NetworkPlan> = fc
  .record({
    channels: fc.integer({ min: 1, max: 3 }),
    height: fc.integer({ min: 1, max: 8 }),
    width: fc.integer({ min: 1, max: 8 }),
    units: fc.integer({ min: 1, max: 5 }),
    image: fc.array(randomDraw(), { maxLength: 5 }),
    row: fc.array(randomDraw(), { maxLength: 3 }),
    loss: fc.constantFrom('softmaxCrossEntropy', 'softmaxOfSoftmaxCrossEntropy'),
  })
  .map(({ channels, height, width, units, image, row, loss }) => {
    const input: [number, number, number] = [channels, height, width];
    const layers: LayerSpec[] = [];
    const logits: LayerSpec[] = [
      { kind: 'flatten', name: 'flatten' },
      { kind: 'dense', name: 'logits', units },
    ];
    const planned = (): NetworkPlan => planNetwork({ input, layers: [...layers, ...logits], loss });
    for (const draw of image) {
      const [, h = 1, w = 1] = planned().layers[layers.length]?.inputShape ?? input;
      layers.push(imageLayer(`layer${layers.length}`, draw, Math.min(h, w)));
    }
    logits.splice(1, 0, ...row.map((draw, i) => rowLayer(`layer${layers.length + i}`, draw)));
    return planned();
  });

/** @param smallest side of what comes in */
function imageLayer(name: string, [kind, first, second, third]: Draw, smallest: number): LayerSpec {
  const chosen = pick(IMAGE_KINDS, kind);
  if (chosen === 'conv2d') {
    const padding = Math.max(0, upTo(5, third) - 3);
    const kernelSize = upTo(Math.min(3, smallest + 2 * padding), first);
    return {
      kind: chosen,
      name,
      filters: upTo(3, second),
      kernelSize,
      stride: pick([1, 1, 2, 3], (second * 7) % 1),
      padding,
    };
  }
  if (chosen === 'maxPool2d' || chosen === 'averagePool2d') {
    const size = upTo(Math.min(3, smallest), first);
    const padding = Math.floor((size / 2) * pick([0, 0, 1], third));
    return { kind: chosen, name, size, stride: pick([size, size, 1, 2, 3], second), padding };
  }
  return chosen === 'channel' ? { kind: 'dropout', name, rate: 0.5, unit: 'channel' } : each(name, chosen);
}

function rowLayer(name: string, [kind, first]: Draw): LayerSpec {
  const chosen = pick(ROW_KINDS, kind);
  return chosen === 'dense' ? { kind: chosen, name, units: upTo(5, first) } : each(name, chosen);
}

function each(name: string, kind: 'relu' | 'leakyRelu' | 'sigmoid' | 'tanh' | 'element'): LayerSpec {
  if (kind === 'leakyRelu') return { kind, name, slope: 0.25 };
  return kind === 'element' ? { kind: 'dropout', name, rate: 0.5, unit: 'element' } : { kind, name };
}

function randomDraw(): fc.Arbitrary<Draw> {
  const unit = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  return fc.tuple(unit, unit, unit, unit);
}
