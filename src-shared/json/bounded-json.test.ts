import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseBoundedJson } from './bounded-json';

const LIMITS = { maxDepth: 8, maxValues: 100 };
const parse = (text: string): unknown => parseBoundedJson(text, LIMITS);

describe('parseBoundedJson', () => {
  it('reads what is within the limits as JSON.parse does', () => {
    const value = { a: [1, 'x"[{,', null, { b: {} }], '\\': '\\"' };
    expect(parse(JSON.stringify(value, null, 2))).toEqual(value);
  });

  it('refuses depth that would overflow the stack of whoever follows it', () => {
    for (const depth of [9, 4000, 1_000_000]) {
      expect(() => parse('['.repeat(depth) + ']'.repeat(depth))).toThrow(
        'expected at most 8 arrays and objects inside one another, found more',
      );
      expect(() => parse('{"a":'.repeat(depth) + '1' + '}'.repeat(depth))).toThrow('inside one another');
    }
    expect(parse('['.repeat(8) + ']'.repeat(8))).toEqual([[[[[[[[]]]]]]]]);
  });

  it('refuses more values than may be, before they are made', () => {
    expect(parse(`[${Array(99).fill('1').join()}]`)).toHaveLength(99);
    expect(() => parse(`[${Array(100).fill('1').join()}]`)).toThrow(
      'expected at most 100 values, found more',
    );
    expect(() => parse(`{"a":${'[1,2],'.repeat(1_000_000)}`)).toThrow('found more');
  });

  it('says of what is no JSON that it is not, unless a limit comes first', () => {
    for (const text of ['', '{', '[1,]', '"', '"\\"', 'undefined', ']]]]', '[1}', '\u0000']) {
      expect(() => parse(text)).toThrow('expected JSON, found something else');
    }
  });

  it('counts exactly the values and the depth that JSON.parse finds', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.nat(3), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        const { values, depth } = measure(value);
        expect(parseBoundedJson(text, { maxDepth: depth, maxValues: values })).toEqual(JSON.parse(text));
        if (values > 1) {
          expect(() => parseBoundedJson(text, { maxDepth: depth, maxValues: values - 1 })).toThrow('values');
        }
        if (depth > 0) {
          expect(() => parseBoundedJson(text, { maxDepth: depth - 1, maxValues: values })).toThrow('inside');
        }
      }),
    );
  });

  it('goes through any text that JSON.parse refuses', () => {
    const noise = fc.string({ unit: fc.constantFrom('[', ']', '{', '}', '"', '\\', ',', ':', '1', ' ') });
    fc.assert(
      fc.property(noise, (text) => {
        const limits = { maxDepth: 1000, maxValues: 1000 };
        try {
          JSON.parse(text);
        } catch {
          expect(() => parseBoundedJson(text, limits)).toThrow('expected JSON');
          return;
        }
        expect(parseBoundedJson(text, limits)).toEqual(JSON.parse(text));
      }),
    );
  });
});

function measure(value: unknown): { values: number; depth: number } {
  if (typeof value !== 'object' || value === null) return { values: 1, depth: 0 };
  const inside = Object.values(value).map(measure);
  return {
    values: 1 + inside.reduce((sum, { values }) => sum + values, 0),
    depth: 1 + Math.max(0, ...inside.map(({ depth }) => depth)),
  };
}
