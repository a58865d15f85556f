import { describe, expect, test } from 'vitest';
import { giveBack, PicturePool } from './picture-pool';

describe('PicturePool', () => {
  test('lends a buffer to one at a time, and the same one again once it is given back', () => {
    const pool = new PicturePool();
    const first = pool.take(5);
    const second = pool.take(5);
    expect(second.buffer).not.toBe(first.buffer);
    giveBack(first);
    expect(pool.take(5).buffer).toBe(first.buffer);
    expect(pool.take(5).buffer).not.toBe(second.buffer);
  });

  test('gives exactly the length that is asked for', () => {
    const pool = new PicturePool();
    giveBack(pool.take(5));
    expect([pool.take(4).length, pool.take(5).length]).toEqual([4, 5]);
  });

  test('keeps a few buffers only, whatever lengths were asked for', () => {
    const pool = new PicturePool();
    const first = pool.take(1);
    giveBack(first);
    for (let length = 2; length < 20; length += 1) giveBack(pool.take(length));
    expect(pool.take(1).buffer).not.toBe(first.buffer);
  });
});
