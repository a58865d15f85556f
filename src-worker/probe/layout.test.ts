import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planNetwork, sizeOf } from '../../src-shared/model/network';
import { recipeNamed } from '../../src-shared/model/recipe';
import { type Slot, slotSchema, type WatchItem } from '../../src-shared/protocol/messages';
import { capture } from './capture';
import { matrixView, payloadLength, planSlots } from './layout';

const plan = planNetwork(recipeNamed('pytorch-paper').network);

describe('a layout', () => {
  it('gives whole tensors in their own shape, one behind the other', () => {
    const slots = planSlots(plan, [
      { name: 'conv2.weight', kind: 'gradient', maxValues: 5000 },
      { name: 'conv1', kind: 'digitOutput', maxValues: 10_000 },
      { name: 'input', kind: 'digitOutput', maxValues: 10_000 },
      { name: 'output', kind: 'digitProbabilities', maxValues: 10 },
    ]);
    expect(slots.map((slot) => [slot.sentShape, slot.offset, slot.block])).toEqual([
      [[20, 10, 5, 5], 0, null],
      [[10, 24, 24], 5000, null],
      [[1, 28, 28], 10_760, null],
      [[10], 11_544, null],
    ]);
    expect(payloadLength(slots)).toBe(11_554);
  });

  it('leaves out what the network does not have', () => {
    const items: WatchItem[] = [
      { name: 'conv9.weight', kind: 'weight', maxValues: 10 },
      { name: 'conv1', kind: 'weight', maxValues: 10 },
      { name: 'input', kind: 'digitError', maxValues: 10 },
      { name: 'conv1.bias', kind: 'update', maxValues: 10 },
    ];
    expect(planSlots(plan, items).map((slot) => slot.name)).toEqual(['conv1.bias']);
    expect(payloadLength([])).toBe(0);
  });
});

const reducedTensor = fc
  .record({
    shape: fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 3 }),
    maxValues: fc.integer({ min: 1, max: 200 }),
  })
  .map(({ shape, maxValues }) => {
    const spec = { name: 'x', kind: 'maxPool2d' as const, size: 1, stride: 1, padding: 0 };
    const tensorPlan = {
      ...plan,
      layers: [{ index: 0, spec, inputShape: shape, outputShape: shape, parameters: [] }],
    };
    const slot = planSlots(tensorPlan, [{ name: 'x', kind: 'digitOutput', maxValues }])[0]!;
    return { slot, maxValues };
  });

describe('a tensor of any shape', () => {
  it('is sent in no more values than the page can show, and whole when it fits', () => {
    fc.assert(
      fc.property(reducedTensor, ({ slot, maxValues }) => {
        expect(slotSchema.safeParse(slot).success).toBe(true);
        expect(slot.length).toBeLessThanOrEqual(maxValues);
        expect(slot.block === null).toBe(sizeOf(slot.shape) <= maxValues);
      }),
    );
  });

  it('is reduced to the mean of the values of each block', () => {
    fc.assert(
      fc.property(reducedTensor, ({ slot }) => {
        const values = Float32Array.from({ length: sizeOf(slot.shape) }, (_, i) => (i * 7919) % 101);
        const payload = new Float32Array(slot.length).fill(-1);
        capture(values, { ...slot, offset: 0 }, payload);
        expect(payload).toEqual(slot.block === null ? values : expectedMeans(values, slot, slot.block));
      }),
    );
  });
});

/** The definition read from the value's side: every value belongs to exactly one block. */
function expectedMeans(values: Float32Array, slot: Slot, [height, width]: [number, number]): Float32Array {
  const [, columns] = matrixView(slot.shape);
  const blocksAcross = slot.sentShape[1]!;
  const members = Array.from({ length: slot.length }, (): number[] => []);
  values.forEach((value, i) => {
    const block =
      Math.floor(Math.floor(i / columns) / height) * blocksAcross + Math.floor((i % columns) / width);
    members[block]!.push(value);
  });
  return Float32Array.from(members, (list) => list.reduce((sum, value) => sum + value, 0) / list.length);
}

describe('a bad number', () => {
  it('shows through the mean of its block', () => {
    const slot = planSlots(plan, [{ name: 'fc1.weight', kind: 'weight', maxValues: 100 }])[0]!;
    const values = new Float32Array(16_000);
    values[15_999] = NaN;
    values[0] = -Infinity;
    const payload = new Float32Array(slot.length);
    capture(values, slot, payload);
    expect([payload[0], payload.at(-1)]).toEqual([-Infinity, NaN]);
  });
});
