import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { countBeyond, rungFor, rungOf, rungValue, Scale, wholeOf } from './scale';
import { ScaleBook } from './scale-book';

/** The rule as it is written down, by sorting. */
function bySorting(values: Float32Array): number | null {
  const sizes = [...values]
    .filter(Number.isFinite)
    .map(Math.abs)
    .sort((a, b) => a - b);
  const largest = sizes.at(-1) ?? 0;
  if (largest === 0) return null;
  const percentile = sizes[Math.floor((sizes.length - 1) * 0.995)] ?? 0;
  const target = percentile === 0 ? largest : percentile;
  for (let exponent = -46; ; exponent += 1) {
    for (const mantissa of [1, 2, 5]) {
      const nice = Number(`${String(mantissa)}e${String(exponent)}`);
      if (nice >= target) return nice;
    }
  }
}

const floats = fc.float32Array({ minLength: 1, maxLength: 600 });
const settle = { hold: false, settle: true };
const running = { hold: false, settle: false };
const filled = (length: number, value: number): Float32Array => new Float32Array(length).fill(value);

describe('the ladder of scales', () => {
  test('is 1, 2, 5 times powers of ten, exactly as the decimals read', () => {
    expect([-4, -3, -2, -1, 0, 1, 2, 3].map(rungValue)).toEqual([0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10]);
  });

  test('rungFor finds the lowest rung that is not below', () => {
    fc.assert(
      fc.property(fc.float({ min: Math.fround(1e-30), max: Math.fround(1e30), noNaN: true }), (value) => {
        const rung = rungFor(value);
        expect(rungValue(rung)).toBeGreaterThanOrEqual(value);
        expect(rungValue(rung - 1)).toBeLessThan(value);
      }),
    );
  });
});

describe('rungOf', () => {
  test('counts its way to what sorting says, NaN and infinities left out', () => {
    fc.assert(
      fc.property(floats, (values) => {
        const rung = rungOf([wholeOf(values)]);
        expect(rung === null ? null : rungValue(rung)).toBe(bySorting(values));
      }),
      { numRuns: 500 },
    );
  });

  test('over several stretches is that of all their values together', () => {
    fc.assert(
      fc.property(floats, floats, (a, b) => {
        expect(rungOf([wholeOf(a), wholeOf(b)])).toBe(rungOf([wholeOf(Float32Array.of(...a, ...b))]));
      }),
    );
  });
});

describe('Scale', () => {
  test('standing, it is the rule itself, whatever was shown before', () => {
    fc.assert(
      fc.property(fc.array(floats, { minLength: 1, maxLength: 5 }), (pictures) => {
        const scale = new Scale();
        let last = 1;
        for (const values of pictures) {
          scale.update([wholeOf(values)], settle);
          last = bySorting(values) ?? last;
          expect(scale.value).toBe(last);
          if (scale.known) expect(scale.clipped).toBe(countBeyond([wholeOf(values)], scale.value));
        }
      }),
    );
  });

  test('running, it steps up at once and down only after 30 pictures that need less', () => {
    const scale = new Scale();
    scale.update([wholeOf(filled(400, 0.15))], running);
    expect(scale.value).toBe(0.2);
    scale.update([wholeOf(filled(400, 0.9))], running);
    expect(scale.value).toBe(1);
    for (let picture = 1; picture < 30; picture += 1) scale.update([wholeOf(filled(400, 0.15))], running);
    expect(scale.value).toBe(1);
    scale.update([wholeOf(filled(400, 0.15))], running);
    expect(scale.value).toBe(0.2);
  });

  test('does not flicker while the values waver around a rung', () => {
    const scale = new Scale();
    const seen = new Set<number>();
    for (let picture = 0; picture < 200; picture += 1) {
      scale.update([wholeOf(filled(100, picture % 3 === 0 ? 0.21 : 0.19))], running);
      seen.add(scale.value);
    }
    expect([...seen]).toEqual([0.5]);
  });

  test('locked, it stays and still counts what is beyond it', () => {
    const scale = new Scale();
    scale.update([wholeOf(filled(10, 0.09))], settle);
    scale.update([wholeOf(filled(10, 3))], { hold: true, settle: true });
    expect(scale.value).toBe(0.1);
    expect(scale.clipped).toBe(10);
  });

  test('a gradient that is nothing but zero keeps the last scale', () => {
    const scale = new Scale();
    scale.update([wholeOf(filled(10, 0.04))], settle);
    scale.update([wholeOf(filled(10, 0))], settle);
    expect(scale.value).toBe(0.05);
  });

  test('where nearly all is zero the largest value decides: a few errors are not clipped to nothing', () => {
    const values = filled(1000, 0);
    values[7] = -0.3;
    const scale = new Scale();
    scale.update([wholeOf(values)], running);
    expect(scale.value).toBe(0.5);
    expect(scale.clipped).toBe(0);
  });
});

describe('ScaleBook', () => {
  const tensors = [
    { name: 'conv1.weight', kind: 'weight', values: Float32Array.of(0.09, 0.09, 4, 4), kernelSize: 2 },
    { name: 'fc1.weight', kind: 'weight', values: Float32Array.of(30, 30, 30, 30), kernelSize: 4 },
    {
      name: 'conv1.weight',
      kind: 'gradient',
      values: Float32Array.of(0.0009, 0.0009, 0.0009, 0.0009),
      kernelSize: 2,
    },
  ];
  const scalesOf = (scope: 'kernel' | 'layer' | 'network'): number[] => {
    const book = new ScaleBook();
    book.update(tensors, { scope, locked: false, settle: true });
    return [
      book.scaleOf('conv1.weight', 'weight', 0).value,
      book.scaleOf('conv1.weight', 'weight', 1).value,
      book.scaleOf('fc1.weight', 'weight', 0).value,
      book.scaleOf('conv1.weight', 'gradient', 0).value,
    ];
  };

  test('takes W, g and dW apart in every scope', () => {
    expect(scalesOf('kernel')).toEqual([0.1, 5, 50, 0.001]);
    expect(scalesOf('layer')).toEqual([5, 5, 50, 0.001]);
    expect(scalesOf('network')).toEqual([50, 50, 50, 0.001]);
  });

  test('another scope starts with scales of its own, even locked', () => {
    const book = new ScaleBook();
    book.update(tensors, { scope: 'network', locked: false, settle: true });
    book.update(tensors, { scope: 'layer', locked: true, settle: true });
    expect(book.scaleOf('conv1.weight', 'weight', 0).value).toBe(5);
  });

  test('fill says whether anything changed', () => {
    const book = new ScaleBook();
    book.update(tensors, { scope: 'kernel', locked: false, settle: true });
    const target = new Float64Array(2);
    expect(book.fill('conv1.weight', 'weight', target)).toBe(true);
    expect([...target]).toEqual([0.1, 5]);
    expect(book.fill('conv1.weight', 'weight', target)).toBe(false);
  });
});
