import fc from 'fast-check';
import { planNetwork, type LayerSpec, type NetworkPlan } from '../../../src-shared/model/network';

/** What a random number in [0, 1) picks. */
const pick = <T>(choices: readonly T[], random: number): T => choices[Math.floor(random * choices.length)]!;
const upTo = (largest: number, random: number): number => 1 + Math.floor(random * largest);

/**
 * Small networks of every kind of layer in any order and either loss, extents of 1 included (there a kernel may take two axes for one).
 * Convolution and pooling come before flatten, as shapes demand.
 */
export const arbitraryNetwork: fc.Arbitrary<NetworkPlan> = fc
  .record({
    channels: fc.integer({ min: 1, max: 3 }),
    height: fc.integer({ min: 1, max: 8 }),
    width: fc.integer({ min: 1, max: 8 }),
    units: fc.integer({ min: 1, max: 5 }),
    image: fc.array(randomTriple(), { maxLength: 5 }),
    row: fc.array(randomTriple(), { maxLength: 3 }),
    loss: fc.constantFrom('softmaxCrossEntropy', 'softmaxOfSoftmaxCrossEntropy'),
  })
  .map(({ channels, height, width, units, image, row, loss }) => {
    const layers: LayerSpec[] = [];
    let [h, w] = [height, width];
    for (const [kind, size, count] of image) {
      const name = `layer${layers.length}`;
      const side = upTo(Math.min(3, h, w), size);
      switch (pick(['conv2d', 'conv2d', 'maxPool2d', 'relu', 'channel', 'element'] as const, kind)) {
        case 'conv2d':
          layers.push({
            kind: 'conv2d',
            name,
            filters: upTo(3, count),
            kernelSize: side,
            stride: 1,
            padding: 0,
          });
          [h, w] = [h - side + 1, w - side + 1];
          break;
        case 'maxPool2d':
          layers.push({ kind: 'maxPool2d', name, size: side, stride: side, padding: 0 });
          [h, w] = [Math.floor(h / side), Math.floor(w / side)];
          break;
        case 'relu':
          layers.push({ kind: 'relu', name });
          break;
        case 'channel':
          layers.push({ kind: 'dropout', name, rate: 0.5, unit: 'channel' });
          break;
        case 'element':
          layers.push({ kind: 'dropout', name, rate: 0.5, unit: 'element' });
          break;
      }
    }
    layers.push({ kind: 'flatten', name: 'flatten' });
    for (const [kind, , count] of row) {
      const name = `layer${layers.length}`;
      const chosen = pick(['dense', 'relu', 'dropout'] as const, kind);
      if (chosen === 'dense') layers.push({ kind: 'dense', name, units: upTo(5, count) });
      else if (chosen === 'relu') layers.push({ kind: 'relu', name });
      else layers.push({ kind: 'dropout', name, rate: 0.5, unit: 'element' });
    }
    layers.push({ kind: 'dense', name: 'logits', units });
    return planNetwork({ input: [channels, height, width], layers, loss });
  });

function randomTriple(): fc.Arbitrary<[number, number, number]> {
  const unit = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  return fc.tuple(unit, unit, unit);
}
