import { describe, expect, it } from 'vitest';
import { countNonFinite, l2Norm } from './statistics';

describe('l2Norm', () => {
  it('does not overflow on the largest float32 values, as a float32 sum would', () => {
    const largest = 3.4028234663852886e38;
    expect(l2Norm(new Float32Array([largest, largest]))).toBeCloseTo(largest * Math.SQRT2, -30);
  });

  it('lets NaN and infinity through', () => {
    expect(l2Norm([1, Number.NaN])).toBeNaN();
    expect(l2Norm([1, Number.NEGATIVE_INFINITY])).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('countNonFinite', () => {
  it('counts NaN and infinities of both signs apart', () => {
    expect(countNonFinite(new Float32Array([1, Number.NaN, -Infinity, 0, Infinity, Number.NaN]))).toEqual({
      nan: 2,
      infinite: 2,
    });
  });
});
