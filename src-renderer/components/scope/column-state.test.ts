import { describe, expect, test } from 'vitest';
import type { Phase } from '../../../src-shared/model/phases';
import type { Freshness } from '../../../src-shared/protocol/messages';
import { columnState } from './column-state';
import type { KernelKind } from './scope-model';
import { pictureOf } from './testing';

const names = ['conv1.weight', 'fc1.weight'];
const stateOf = (
  kind: KernelKind,
  phase: Phase | null,
  states: readonly (readonly [Freshness, number])[],
): string =>
  columnState(
    pictureOf(
      2639,
      phase,
      states.map(([freshness, step], index) => ({
        name: names[index] ?? '',
        kind,
        shape: [1, 1],
        values: new Float32Array(1),
        freshness,
        step,
      })),
    ),
    kind,
    names,
  );

describe('the head of a column', () => {
  test('says the step of its pictures', () => {
    expect(
      stateOf('weight', 'step', [
        ['fresh', 2639],
        ['fresh', 2639],
      ]),
    ).toBe('2,639');
    expect(
      stateOf('weight', null, [
        ['fresh', 0],
        ['fresh', 0],
      ]),
    ).toBe('0');
  });

  test('inside a step calls the weights those before it, and a gradient by the step under way', () => {
    expect(
      stateOf('weight', 'backward', [
        ['fresh', 2639],
        ['fresh', 2639],
      ]),
    ).toBe('before step');
    expect(
      stateOf('gradient', 'backward', [
        ['cleared', 2639],
        ['fresh', 2640],
      ]),
    ).toBe('2,640');
  });

  test('never gives a step to what is old, cleared or not there yet', () => {
    expect(
      stateOf('update', 'backward', [
        ['old', 2639],
        ['old', 2639],
      ]),
    ).toBe('old');
    expect(
      stateOf('gradient', 'zeroGrad', [
        ['cleared', 2639],
        ['cleared', 2639],
      ]),
    ).toBe('cleared');
    expect(
      stateOf('update', null, [
        ['notYet', 0],
        ['notYet', 0],
      ]),
    ).toBe('not yet');
  });

  test('says the step of the digit\u2019s maps also when they are a little behind', () => {
    const maps = pictureOf(1106, 'step', [
      {
        name: 'conv1',
        kind: 'digitOutput',
        shape: [1],
        values: new Float32Array(1),
        freshness: 'old',
        step: 1104,
      },
    ]);
    expect(columnState(maps, 'digitOutput', ['conv1'])).toBe('1,104');
  });
});
