import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FrameView } from './frame-store';
import { WeightSnapshots } from './weight-snapshots';

/** A picture whose only weight is its step. */
const pictureOf = (step: number, block: [number, number] | null = null): FrameView =>
  ({
    slot: () => ({ values: Float32Array.of(step), state: { step }, slot: { block } }),
  }) as unknown as FrameView;

describe('snapshots of the weights', () => {
  test('stepping one by one, the weights of exactly N steps ago are there, whole tens of N in the past', () => {
    const snapshots = new WeightSnapshots([10, 100]);
    for (let step = 0; step <= 500; step += 1) snapshots.see(pictureOf(step), ['w']);
    expect(snapshots.earlier('w', 500, 10)?.step).toBe(490);
    expect(snapshots.earlier('w', 500, 100)).toEqual({ step: 400, values: Float32Array.of(400) });
  });

  test('at any pace of pictures: what is found is of its step, never younger than N unless the page is', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 300 }), (gaps) => {
        const snapshots = new WeightSnapshots([10, 100]);
        let step = 0;
        snapshots.see(pictureOf(step), ['w']);
        for (const gap of gaps) {
          step += gap;
          snapshots.see(pictureOf(step), ['w']);
        }
        for (const age of [10, 100]) {
          const found = snapshots.earlier('w', step, age);
          expect(found?.values[0], 'weights of another step than is told').toBe(found?.step);
          if (step >= age) expect(found?.step).toBeLessThanOrEqual(step - age);
          // A picture late by one gap, a snapshot by N / 10 more.
          expect(found?.step ?? -1).toBeGreaterThanOrEqual(
            Math.min(step, Math.max(0, step - age - age / 10 - 120)),
          );
        }
      }),
      { numRuns: 100 },
    );
  });

  test('of a page that is younger than N the oldest are told; of one that has only now there is none', () => {
    const snapshots = new WeightSnapshots([100]);
    snapshots.see(pictureOf(940), ['w']);
    expect(snapshots.earlier('w', 940, 100)).toBeNull();
    snapshots.see(pictureOf(952), ['w']);
    expect(snapshots.earlier('w', 952, 100)?.step).toBe(940);
  });

  test('a new run does not compare with the last one, and a reduced tensor is not kept', () => {
    const snapshots = new WeightSnapshots([10]);
    snapshots.see(pictureOf(300), ['w']);
    snapshots.see(pictureOf(0), ['w']);
    snapshots.see(pictureOf(5), ['w']);
    expect(snapshots.earlier('w', 5, 10)?.step).toBe(0);
    const reduced = new WeightSnapshots([10]);
    reduced.see(pictureOf(0, [2, 2]), ['w']);
    expect(reduced.earlier('w', 5, 10)).toBeNull();
  });
});
