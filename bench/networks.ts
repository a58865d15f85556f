import { recipeNamed, recipeSchema, type Recipe } from '../src-shared/model/recipe';

/** The networks that are trained, as data: every peer builds them from this. */

export const PAPER = recipeNamed('pytorch-paper');
const WIDE_MNIST = recipeNamed('wide-mnist');

/**
 * A recipe of the product with other widths and without dropout. `widths`: filters of its convolutions and units of its dense
 * layers but the last, in network order.
 */
function resized(of: Recipe, name: string, widths: readonly number[], input = of.network.input): Recipe {
  const left = [...widths];
  const all = of.network.layers.filter(({ kind }) => kind !== 'dropout');
  const layers = all.map((layer, index) => {
    if (layer.kind === 'conv2d') return { ...layer, filters: left.shift() };
    if (layer.kind === 'dense' && index < all.length - 1) return { ...layer, units: left.shift() };
    return layer;
  });
  const network = { ...of.network, input, layers };
  return recipeSchema.parse({ ...of, name, summary: 'For the benchmark.', network });
}

export const OTHER_NETWORKS: readonly Recipe[] = [
  recipeNamed('lenet-5'),
  WIDE_MNIST,
  resized(WIDE_MNIST, 'rgb-32', [16, 32, 64], [3, 32, 32]),
];

/** The paper's network from 22 thousand to 10 million parameters. */
export const GROWING: readonly Recipe[] = [1, 3, 8, 22].map((times) =>
  resized(PAPER, `paper-x${String(times)}`, [10 * times, 20 * times, 50 * times]),
);
