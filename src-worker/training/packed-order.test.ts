import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_RUN_CONFIG } from '../../src-shared/model/run-config';
import { buffersOf, packed, unpacked } from './packed-order';
import type { RequestCommand } from './thread-messages';

const restart = (order: number[][] | null): RequestCommand => ({
  type: 'request',
  client: 1,
  id: 2,
  method: 'restart',
  params: { config: { ...DEFAULT_RUN_CONFIG, order }, weightsFile: null },
  payload: new Uint8Array(3),
});

describe('the order of a restart', () => {
  // Catches: an image, a batch or a field that is lost or moved on its way to the thread.
  it('is the same after it was packed, copied and unpacked', () => {
    const index = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
    fc.assert(
      fc.property(fc.array(fc.array(index, { minLength: 1, maxLength: 5 }), { minLength: 1 }), (order) => {
        const command = packed(restart(order));
        const sent = structuredClone(command, { transfer: buffersOf(command) });
        expect(unpacked(sent)).toEqual(restart(order));
      }),
    );
  });

  it('is left alone where there is none', () => {
    const none = restart(null);
    expect(packed(none)).toBe(none);
    expect(unpacked(none)).toBe(none);
  });
});
