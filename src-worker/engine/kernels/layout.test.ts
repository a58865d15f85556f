import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { spreadFactors, toChannelsFirst, toChannelsLast } from './layout';

const extent = fc.integer({ min: 1, max: 5 });

describe('layouts', () => {
  // Catches: swapped axes, mostly where an extent of 1 takes the short way.
  it('moves every value to where its indices say', () => {
    fc.assert(
      fc.property(extent, extent, extent, (n, channels, pixels) => {
        const channelsFirst = Float32Array.from({ length: n * channels * pixels }, (_, i) => i);
        const channelsLast = new Float32Array(channelsFirst.length);
        toChannelsLast(n, channels, pixels, channelsFirst, channelsLast);
        for (let e = 0; e < n; e++) {
          for (let c = 0; c < channels; c++) {
            for (let p = 0; p < pixels; p++) {
              expect(channelsLast[(e * pixels + p) * channels + c]).toBe(
                channelsFirst[(e * channels + c) * pixels + p],
              );
            }
          }
        }
        const back = new Float32Array(channelsFirst.length);
        toChannelsFirst(n, channels, pixels, channelsLast, back);
        expect(back).toEqual(channelsFirst);
      }),
    );
  });

  it('gives every pixel the factor of its channel', () => {
    const factors = new Float32Array(12);
    spreadFactors(2, 2, 3, Float32Array.of(1, 2, 3, 4), factors);
    expect([...factors]).toEqual([1, 2, 1, 2, 1, 2, 3, 4, 3, 4, 3, 4]);
  });
});
