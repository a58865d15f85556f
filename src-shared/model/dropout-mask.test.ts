import { describe, expect, it } from 'vitest';
import { dropoutMask } from './dropout-mask';
import { planNetwork, type LayerPlan } from './network';
import { recipeNamed } from './recipe';

const plan = planNetwork(recipeNamed('pytorch-paper').network);
const layerNamed = (name: string): LayerPlan => {
  const layer = plan.layers.find((candidate) => candidate.spec.name === name);
  if (layer === undefined) throw new Error(`no layer ${name}`);
  return layer;
};
const channel = layerNamed('dropout1');
const element = layerNamed('dropout2');

describe('dropoutMask', () => {
  it('decides once a channel for unit channel, and once a value for unit element', () => {
    expect(dropoutMask(channel, 64, 1, 1)).toHaveLength(64 * 20);
    expect(dropoutMask(element, 64, 1, 1)).toHaveLength(64 * 50);
  });

  it('holds 0 and 1/(1-rate) and nothing else, in about the right share', () => {
    const quarter = {
      ...element,
      spec: { ...element.spec, kind: 'dropout', rate: 0.25, unit: 'element' },
    } as const;
    const mask = dropoutMask(quarter, 1000, 1, 1);
    const dropped = mask.reduce((count, factor) => count + (factor === 0 ? 1 : 0), 0);
    expect(new Set(mask)).toEqual(new Set([0, Math.fround(4 / 3)]));
    // Four standard deviations of a binomial with 50,000 draws.
    expect(Math.abs(dropped / mask.length - 0.25)).toBeLessThan(4 * Math.sqrt((0.25 * 0.75) / mask.length));
  });

  it('drops nothing at rate 0', () => {
    const none = {
      ...element,
      spec: { ...element.spec, kind: 'dropout', rate: 0, unit: 'element' },
    } as const;
    expect(new Set(dropoutMask(none, 10, 1, 1))).toEqual(new Set([1]));
  });

  it('is the same for a minibatch done again, and another for another step, layer or seed', () => {
    const mask = dropoutMask(element, 8, 1, 5);
    expect(dropoutMask(element, 8, 1, 5)).toEqual(mask);
    expect(dropoutMask(element, 8, 1, 6)).not.toEqual(mask);
    expect(dropoutMask(element, 8, 2, 5)).not.toEqual(mask);
    expect(dropoutMask({ ...element, index: element.index + 1 }, 8, 1, 5)).not.toEqual(mask);
  });

  it('does not hang on the minibatch size: an example keeps its mask when others join', () => {
    expect(dropoutMask(element, 2, 1, 5)).toEqual(dropoutMask(element, 8, 1, 5).slice(0, 100));
  });

  it('refuses a layer that is no dropout', () => {
    expect(() => dropoutMask(layerNamed('fc1'), 1, 1, 1)).toThrow('fc1 is no dropout layer');
  });
});
