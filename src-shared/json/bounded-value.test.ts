import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkBoundedValue } from './bounded-value';

const check = (value: unknown): void => {
  checkBoundedValue(value, { maxDepth: 8, maxValues: 100 });
};

function nested(depth: number, wrap: (inside: unknown) => unknown): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i += 1) value = wrap(value);
  return value;
}

describe('checkBoundedValue', () => {
  it('lets through what JSON can say', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        expect(() => {
          checkBoundedValue(value, { maxDepth: 5, maxValues: 10_000 });
        }).not.toThrow();
      }),
    );
    check({ a: undefined });
  });

  it('refuses depth, however deep', () => {
    for (const depth of [9, 1_000_000]) {
      expect(() => {
        check(nested(depth, (inside) => [inside]));
      }).toThrow('inside one another');
      expect(() => {
        check(nested(depth, (a) => ({ a })));
      }).toThrow('inside one another');
    }
    check(nested(8, (inside) => [inside]));
  });

  it('refuses width, a list that only says it is long, and a value that is there a billion times', () => {
    for (const wide of [
      Array(100).fill(1),
      new Array(4_000_000_000),
      nested(8, (inside) => [inside, inside, inside]),
      Object.fromEntries(Array.from({ length: 100 }, (_, i) => [String(i), i])),
    ]) {
      expect(() => {
        check(wide);
      }).toThrow('at most 100 values');
    }
    check(Array(99).fill(1));
  });

  it('ends on a value that has itself inside', () => {
    const ring: unknown[] = [];
    ring.push(ring);
    expect(() => {
      check(ring);
    }).toThrow('inside one another');
  });

  it.each([
    [new Map(), 'Map'],
    [new Date(), 'Date'],
    [new Float32Array(2), 'Float32Array'],
    [new ArrayBuffer(2), 'ArrayBuffer'],
    [/x/, 'RegExp'],
    [new Error('x'), 'Error'],
    [10n, 'bigint'],
    [() => 1, 'function'],
  ])('refuses %s, which JSON does not have', (value, kind) => {
    expect(() => {
      check({ value });
    }).toThrow(`expected values that JSON has, found ${kind}`);
  });
});
