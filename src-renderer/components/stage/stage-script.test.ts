import { describe, expect, test } from 'vitest';
import { planNetwork } from '../../../src-shared/model/network';
import { RECIPES, recipeNamed } from '../../../src-shared/model/recipe';
import { watchList } from '../../feed/watch-list';
import { stageScript, type StageScript } from './stage-script';

const scripts = RECIPES.flatMap(({ name, network }) => {
  const plan = planNetwork(network);
  return plan.layers.flatMap((layer) =>
    (['forward', 'backward'] as const).map((direction) => ({
      title: `${name}: ${layer.spec.name} ${direction}`,
      plan,
      layer,
      direction,
      script: stageScript(plan, layer, direction),
    })),
  );
});

const scriptOf = (
  layer: string,
  direction: 'forward' | 'backward',
  recipe = 'pytorch-paper',
): StageScript => {
  const plan = planNetwork(recipeNamed(recipe).network);
  const found = plan.layers.find(({ spec }) => spec.name === layer);
  if (found === undefined) throw new Error(`${recipe} has no ${layer}.`);
  return stageScript(plan, found, direction);
};

describe('the stage of a layer', () => {
  // Catches: a picture that waits for ever for values which nobody asks the trainer for.
  test.each(scripts)('$title shows only what is watched, in its shape', ({ plan, script }) => {
    const watched = watchList(plan).map(({ name, kind }) => `${kind} ${name}`);
    const size = (shape: readonly number[]): number => shape.reduce((product, extent) => product * extent, 1);
    for (const station of [script.top, script.bottom]) {
      if (station === null) continue;
      const { source, inset, shape, drawnShape } = station;
      expect(watched).toContain(`${source.kind} ${source.name}`);
      if (inset !== null) expect(watched).toContain(`output ${inset.name}`);
      expect(size(drawnShape)).toBe(size(shape));
    }
  });

  // Catches: an error looked for that no trainer computes, or left out where there is one.
  test('only the first layer passes no error on', () => {
    for (const { title, layer, direction, script } of scripts)
      expect(script.top === null, title).toBe(direction === 'backward' && layer.index === 0);
  });

  test('says where an error comes from: pool before ReLU in one recipe, ReLU before pool in the other', () => {
    const torch = scriptOf('conv2', 'backward').bottom;
    expect(torch.fates.map(({ spec }) => spec.name)).toEqual(['dropout1', 'pool2', 'relu2', 'flatten']);
    expect(torch.legend).toEqual({
      outline: 'won its 2\u00a0×\u00a02',
      cross: 'won, but stopped by ReLU',
      box: null,
    });
    const keras = scriptOf('conv2', 'backward', 'keras-paper').bottom;
    expect(keras.fates.map(({ spec }) => spec.name)).toEqual(['relu2', 'pool2', 'dropout1', 'flatten']);
    expect(scriptOf('fc1', 'backward').bottom.legend).toEqual({
      outline: null,
      cross: 'stopped by ReLU',
      box: 'dropped',
    });
  });

  // Catches: marks of the layers after it on values that have not come to them yet.
  test('going forward marks only what the layer itself decides', () => {
    expect(scriptOf('conv2', 'forward').bottom.fates).toEqual([]);
    expect(scriptOf('pool2', 'forward').top?.fates.map(({ spec }) => spec.name)).toEqual(['pool2']);
    expect(scriptOf('dropout1', 'forward').does).toBe('kept maps times 1/(1 − 0.5) = 2, dropped ones 0');
  });
});
