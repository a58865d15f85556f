import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planNetwork, type NetworkSpec } from '../../src-shared/model/network';
import { RECIPES, recipeNamed } from '../../src-shared/model/recipe';
import { cssSize, scopeLayout, type LayerRowLayout, type ScopeLayout, type Viewport } from './scope-layout';

const plan = planNetwork(recipeNamed('pytorch-paper').network);
const viewport = (change: Partial<Viewport>): Viewport => ({
  windowWidth: 1440,
  windowHeight: 900,
  width: 978,
  height: 632,
  pixelRatio: 1,
  ...change,
});

const layerRow = ({ rows }: ScopeLayout, name: string): LayerRowLayout => {
  const found = rows.find((row) => row.kind === 'layer' && row.layer.spec.name === name);
  if (found?.kind !== 'layer') throw new Error(`no row ${name}`);
  return found;
};
const pixelsPerWeight = (layout: ScopeLayout, name: string): number => {
  const { kernels } = layerRow(layout, name);
  return kernels.cell * kernels.unit;
};

describe('the scope grid of the paper', () => {
  test.each([
    ['1440 x 900', {}, [6, 3, 1, 3], 160],
    ['1024 x 700', { windowWidth: 1024, windowHeight: 700, width: 983, height: 514 }, [6, 2, 1, 3], 160],
    ['1680 x 1050', { windowWidth: 1680, windowHeight: 1050, width: 1218, height: 782 }, [7, 4, 1, 4], 210],
  ] as const)('at %s has the pixels a weight that were agreed, and fits', (_, change, expected, column) => {
    const given = viewport(change);
    const layout = scopeLayout(plan, given);
    const cells = ['conv1', 'conv2', 'fc1', 'fc2'].map((name) => pixelsPerWeight(layout, name));
    expect(cells.slice(1)).toEqual(expected.slice(1));
    expect(cells[0]).toBeGreaterThanOrEqual(6);
    expect(layout.columns.kernels).toBe(column);
    expect(layout.width).toBeLessThanOrEqual(given.width);
    expect(layout.height).toBeLessThanOrEqual(given.height);
  });

  test('folds fc1 into two bands and shows conv2 output at 5 with its mean as last tile', () => {
    const layout = scopeLayout(plan, viewport({}));
    expect(layerRow(layout, 'fc1').kernels).toMatchObject({ width: 160, height: 103 });
    const { maps } = layerRow(layout, 'conv2');
    expect(maps.withMean).toBe(true);
    expect(maps.tiles.cell * maps.tiles.unit).toBe(5);
    expect(layerRow(layout, 'fc2').maps.caption).toEqual({
      output: 'logits 0 to 9',
      error: 'softmax \u2212 label',
    });
  });

  test('shows every kernel at every size: nothing is cut off in its column, nothing under one device pixel', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 600, max: 2600 }),
        fc.integer({ min: 500, max: 1600 }),
        fc.constantFrom(0.8, 1, 1.25, 1.5, 2, 3),
        fc.constantFrom('pytorch-paper', 'keras-paper'),
        (width, height, pixelRatio, recipe) => {
          const net = planNetwork(recipeNamed(recipe).network);
          const layout = scopeLayout(net, {
            windowWidth: width,
            windowHeight: height,
            width: width - 41,
            height: height - 170,
            pixelRatio,
          });
          for (const row of layout.rows) {
            if (row.kind !== 'layer') continue;
            const { kernels, maps } = row;
            expect(row.overview).toBeNull();
            expect(kernels.kernels * kernels.kernelSize).toBe(row.weight.size);
            expect(Number.isInteger(kernels.unit) && kernels.unit * kernels.cell >= 1).toBe(true);
            expect(cssSize(kernels.width, kernels, pixelRatio)).toBeLessThanOrEqual(layout.columns.kernels);
            expect(cssSize(kernels.height, kernels, pixelRatio)).toBeLessThanOrEqual(row.height);
            expect(cssSize(maps.tiles.width, maps.tiles, pixelRatio)).toBeLessThanOrEqual(
              layout.columns.maps,
            );
            expect(maps.tiles.kernels).toBe((row.layer.outputShape[0] ?? 0) + (maps.withMean ? 1 : 0));
          }
        },
      ),
    );
  });
});

describe('the rows', () => {
  const names = (recipe: string): string[] =>
    scopeLayout(planNetwork(recipeNamed(recipe).network), viewport({})).rows.map((row) =>
      row.kind === 'layer'
        ? row.layer.spec.name
        : `(${row.layers.map(({ spec }) => spec.name).join(' ')}${row.loss === null ? '' : ' loss'})`,
    );

  test('come from the network: each recipe in its own order', () => {
    expect(names('pytorch-paper')).toEqual([
      'conv1',
      '(pool1 relu1)',
      'conv2',
      '(dropout1 pool2 relu2 flatten)',
      'fc1',
      '(relu3 dropout2)',
      'fc2',
      '( loss)',
    ]);
    expect(names('keras-paper')).toEqual([
      'conv1',
      '(relu1 pool1)',
      'conv2',
      '(relu2 pool2 dropout1 flatten)',
      'fc1',
      '(relu3)',
      'fc2',
      '( loss)',
    ]);
  });

  // Catches: an error called softmax - label that is not.
  test('say what the error of the logits is by the loss of the recipe', () => {
    const captionOf = (recipe: string): string | undefined =>
      layerRow(scopeLayout(planNetwork(recipeNamed(recipe).network), viewport({})), 'fc2').maps.caption
        ?.error;
    expect(captionOf('keras-paper')).toBe('softmax − label');
    expect(captionOf('keras-double-softmax')).toBe('what the loss sends');
  });
});

describe('a network too large for a pixel a weight', () => {
  const wide: NetworkSpec = {
    input: [1, 28, 28],
    layers: [
      { kind: 'flatten', name: 'flatten' },
      { kind: 'dense', name: 'fc1', units: 3000 },
      { kind: 'dense', name: 'fc2', units: 10 },
    ],
    loss: 'softmaxCrossEntropy',
  };

  test('is shown as an overview that says how many weights a block has, and its layer before stays a row', () => {
    const layout = scopeLayout(planNetwork(wide), viewport({}));
    const { overview, kernels } = layerRow(layout, 'fc1');
    expect(overview).not.toBeNull();
    expect(kernels.width).toBeLessThanOrEqual(160);
    expect(kernels.height).toBeLessThanOrEqual(330);
    expect((overview?.rows ?? 0) * kernels.kernels).toBeGreaterThanOrEqual(3000);
    expect(layout.rows[0]).toMatchObject({ kind: 'between' });
  });
});

/** Longest side that canvases of all browsers have. */
const LONGEST_SIDE = 16_384;

// Catches: a picture of no, of a fraction of, or of too many pixels at sizes and zooms that nobody had in mind.
test('at every window size and pixel ratio each picture is one that a canvas can hold', () => {
  const plans = RECIPES.map(({ network }) => planNetwork(network));
  fc.assert(
    fc.property(
      fc.constantFrom(...plans),
      fc.double({ min: 0, max: 7680, noNaN: true }),
      fc.double({ min: 0, max: 4320, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.oneof(fc.constantFrom(0.5, 0.67, 1, 1.25, 2, 4), fc.double({ min: 0.25, max: 8, noNaN: true })),
      (network, windowWidth, windowHeight, share, pixelRatio) => {
        const { rows, width, height } = scopeLayout(network, {
          windowWidth,
          windowHeight,
          width: windowWidth * share,
          height: windowHeight * share,
          pixelRatio,
        });
        expect(Number.isFinite(width) && Number.isFinite(height) && width > 0 && height > 0).toBe(true);
        const pictures = rows.flatMap((row) =>
          row.kind === 'layer'
            ? [row.kernels, row.maps.tiles]
            : [...row.strips.values()].map(({ tiles }) => tiles),
        );
        for (const { width: across, height: down, unit, cell } of pictures) {
          for (const side of [across, down]) {
            expect(Number.isInteger(side), `${String(side)} is whole`).toBe(true);
            expect(side).toBeGreaterThanOrEqual(1);
            // Marks lie over the picture in device pixels, with a margin.
            expect(side * unit + 4 * pixelRatio + 1).toBeLessThanOrEqual(LONGEST_SIDE);
          }
          expect(Number.isInteger(unit) && unit >= 1 && Number.isInteger(cell) && cell >= 1).toBe(true);
        }
      },
    ),
    { numRuns: 60 },
  );
});
