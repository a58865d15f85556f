import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeTrainerMessage } from './decode';
import { slotStateSchema, type SlotState } from './messages';

const HEAD = {
  type: 'frame',
  runId: 1,
  layoutId: 2,
  step: 3,
  phase: 'step',
  layer: null,
  example: null,
  appliedAtMs: 0.5,
  skipped: 0,
};

const state = fc.record<SlotState>({
  freshness: fc.constantFrom('fresh' as const, 'old' as const, 'cleared' as const),
  step: fc.nat(2),
  phase: fc.constantFrom(null, 'step' as const),
  nan: fc.nat(1),
  infinite: fc.nat(1),
});
const wrong = fc.constantFrom<unknown>(null, 3, {}, { ...HEAD });
const broken = fc
  .tuple(state, fc.constantFrom('freshness', 'step', 'phase', 'nan', 'infinite', 'more'), wrong)
  .map(([right, key, value]) => ({ ...right, [key]: value }));

describe('states of a frame', () => {
  // Catches: a state that is taken for another one, or out of its order.
  it('come through as they are', () => {
    fc.assert(
      fc.property(fc.array(state, { maxLength: 12 }), (slots) => {
        const { message } = decodeTrainerMessage({ ...HEAD, slots });
        expect(message).toEqual({ ...HEAD, slots });
      }),
    );
  });

  // Catches: a wrong state that passes because it looks like one that was right, or whose place is not named.
  it('are refused wherever the schema of one refuses it, by their place', () => {
    fc.assert(
      fc.property(
        fc.array(state, { maxLength: 6 }),
        fc.oneof(broken, wrong),
        fc.nat(6),
        (right, other, place) => {
          const at = Math.min(place, right.length);
          const slots = right.toSpliced(at, 0, other as SlotState);
          const decode = (): unknown => decodeTrainerMessage({ ...HEAD, slots });
          if (slotStateSchema.safeParse(other).success) expect(decode).not.toThrow();
          else expect(decode).toThrow(`Field slots.${String(at)}`);
        },
      ),
    );
  });

  it('are a list', () => {
    expect(() => decodeTrainerMessage({ ...HEAD, slots: { length: 0 } })).toThrow('Field slots');
  });
});
