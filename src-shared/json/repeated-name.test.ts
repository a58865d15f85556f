import fc from 'fast-check';
import { expect, it } from 'vitest';
import { repeatedName } from './repeated-name';

it.each<[string, string | null]>([
  ['{}', null],
  ['{"a":1,"b":{"a":2},"c":[{"a":1},{"a":2}]}', null],
  ['{"a":1,"a":1}', 'a'],
  ['{"a":1,"\\u0061" : 2}', 'a'],
  ['[{"x":{"b":1,"c":["b","b"],"b":2}}]', 'b'],
  ['{"a":"\\"a\\":","b":"a"}', null],
  ['{"\\\\":1,"b":"\\\\","\\\\":2}', '\\'],
  ['{"__proto__":1,"__proto__":2}', '__proto__'],
])('in %s it is %j', (json, name) => {
  expect(repeatedName(json)).toBe(name);
});

// Catches: a name found inside a string, a string that ends too early.
it('finds none in what JSON.stringify writes', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(repeatedName(JSON.stringify(value, null, 1))).toBeNull();
    }),
  );
});

// Catches: a recursion that a deep text ends.
it('walks a text that is deep', () => {
  expect(repeatedName(`${'[{"a":'.repeat(50_000)}0${'}]'.repeat(50_000)}`)).toBeNull();
});
