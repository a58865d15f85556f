import { expect, test } from 'vitest';
import { layerColour, layerDash, layerKey } from './layer-keys';
import type { Tokens } from './tokens';

const tokens = { keys: ['k1', 'k2', 'k3', 'k4'] } as unknown as Tokens;

test('no two of the first twelve layers look the same, on a canvas or in a legend', () => {
  const layers = Array.from({ length: 12 }, (_, index) => index);
  const drawn = layers.map((index) => `${layerColour(tokens, index)} ${layerDash(index).join()}`);
  expect(new Set(drawn).size).toBe(12);
  for (const along of ['right', 'bottom'] as const) {
    expect(new Set(layers.map((index) => layerKey(index, along))).size).toBe(12);
  }
});

test('the fifth layer has the colour of the first, with a dash', () => {
  expect(layerKey(0, 'right')).toBe('var(--k1)');
  expect(layerKey(4, 'right')).toBe(
    'repeating-linear-gradient(to right, var(--k1) 0 3px, transparent 3px 5px)',
  );
});
