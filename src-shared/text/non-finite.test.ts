import { expect, test } from 'vitest';
import type { NonFinite } from '../protocol/messages';
import { nonFiniteCounts, nonFinitePlace } from './non-finite';

const met: NonFinite = {
  step: 1007,
  phase: 'forward',
  layer: 'conv1',
  tensor: 'conv1',
  kind: 'output',
  nan: 0,
  infinite: 277,
};

test('counts name what there is', () => {
  expect(nonFiniteCounts(met)).toBe('277 infinite');
  expect(nonFiniteCounts({ nan: 80_886, infinite: 0 })).toBe('80,886 NaN');
  expect(nonFiniteCounts({ nan: 1, infinite: 2 })).toBe('1 NaN and 2 infinite');
});

test('the place says what of the tensor it was', () => {
  expect(nonFinitePlace(met)).toBe('the output of conv1 in forward of step 1,007');
  const bias = { ...met, tensor: 'conv1.bias', kind: 'weight' } as const;
  expect(nonFinitePlace(bias)).toBe('conv1.bias in forward of step 1,007');
  const moment = { ...met, phase: 'step', tensor: 'fc1.weight', kind: 'secondMoment' } as const;
  expect(nonFinitePlace(moment)).toBe('the second moment of fc1.weight in the update of step 1,007');
  // A trainer that does not say.
  expect(nonFinitePlace({ ...bias, layer: null, kind: null })).toBe('conv1.bias in forward of step 1,007');
});
