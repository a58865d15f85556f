import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GradscopeError } from '../protocol/errors';
import { planNetwork } from './network';
import { readSafetensors, writeSafetensors, type NamedTensor } from './safetensors';

const plan = planNetwork({
  input: [1, 4, 4],
  layers: [
    { kind: 'conv2d', name: 'conv1', filters: 2, kernelSize: 3, stride: 1, padding: 0 },
    { kind: 'flatten', name: 'flatten' },
    { kind: 'dense', name: 'fc1', units: 3 },
  ],
  loss: 'softmaxCrossEntropy',
});

const tensors: NamedTensor[] = plan.parameters.map(({ name, shape, size }, which) => ({
  name,
  shape,
  values: Float32Array.from({ length: size }, (_, i) => which + i / 64),
}));
const valid = writeSafetensors(tensors);
const headerLength = Number(new DataView(valid.buffer).getBigUint64(0, true));
const read = (file: Uint8Array): Map<string, Float32Array> =>
  readSafetensors(file, plan.parameters, 'w.safetensors').values;
const asMap = new Map(tensors.map(({ name, values }) => [name, values]));

/** A file with this header object (or text) before the data of the valid one. */
function withHeader(header: unknown, data = valid.subarray(8 + headerLength)): Uint8Array {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const file = new Uint8Array(8 + json.length + data.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
  file.set(json, 8);
  file.set(data, 8 + json.length);
  return file;
}

const ENTRY = { dtype: 'F32', shape: [1], data_offsets: [0, 4] as [number, number] };
const headerText = (): string => new TextDecoder().decode(valid.subarray(8, 8 + headerLength));

type Header = Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>;
function changedHeader(change: (header: Header) => void): Uint8Array {
  const header = JSON.parse(headerText()) as Header;
  change(header);
  return withHeader(header);
}

describe('safetensors', () => {
  it('round-trips every finite float32, bit for bit', () => {
    const finite = fc.float({ noNaN: true, noDefaultInfinity: true });
    const values = fc.tuple(
      ...plan.parameters.map(({ size }) => fc.array(finite, { minLength: size, maxLength: size })),
    );
    fc.assert(
      fc.property(values, (lists) => {
        const given = tensors.map((tensor, i) => ({ ...tensor, values: new Float32Array(lists[i]!) }));
        const found = read(writeSafetensors(given));
        for (const tensor of given) {
          const bits = (array: Float32Array | undefined): Uint8Array =>
            Uint8Array.from(array === undefined ? [] : new Uint8Array(array.buffer));
          expect(bits(found.get(tensor.name))).toEqual(bits(tensor.values));
        }
      }),
    );
  });

  it('reads a file at an odd address, and hands out copies', () => {
    const odd = new Uint8Array(valid.length + 1);
    odd.set(valid, 1);
    const found = read(odd.subarray(1));
    odd.fill(0);
    expect(found).toEqual(asMap);
  });

  it('reads a Buffer, whose slice() is a view, as any other bytes', () => {
    const pool = Buffer.alloc(valid.length + 8);
    pool.set(valid, 3);
    expect(read(pool.subarray(3, 3 + valid.length))).toEqual(asMap);
  });

  it('reads tensors in any order of the file, with or without metadata', () => {
    const shuffled = changedHeader((header) => {
      const entries = Object.entries(header).reverse();
      for (const [name] of entries) Reflect.deleteProperty(header, name);
      Object.assign(header, Object.fromEntries(entries.filter(([name]) => name !== '__metadata__')));
    });
    expect(read(shuffled)).toEqual(asMap);
  });

  it('starts the data section at a multiple of 8 bytes, tensors in network order without gaps', () => {
    expect((8 + headerLength) % 8).toBe(0);
    const data = new Float32Array(valid.slice(8 + headerLength).buffer);
    expect([...data]).toEqual(tensors.flatMap(({ values }) => [...values]));
  });

  it('refuses a file cut off anywhere, or with bytes too many', () => {
    for (let length = 0; length < valid.length; length++) {
      expect(() => read(valid.subarray(0, length))).toThrow(GradscopeError);
    }
    const longer = new Uint8Array(valid.length + 4);
    longer.set(valid);
    expect(() => read(longer)).toThrow('4 more than its header describes');
  });

  it('refuses a header with any byte changed, or reads the very same tensors', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 8 + headerLength - 1 }),
        fc.integer({ min: 0, max: 255 }),
        (position, byte) => {
          const changed = valid.slice();
          changed[position] = byte;
          let found: Map<string, Float32Array>;
          try {
            found = read(changed);
          } catch (error) {
            expect(error).toMatchObject({ name: 'GradscopeError', code: 'bad-weights' });
            return;
          }
          expect(found).toEqual(asMap);
        },
      ),
      { numRuns: 5000 },
    );
  });

  it('refuses arbitrary bytes with a code, never with another error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(() => read(bytes)).toThrow(expect.objectContaining({ code: 'bad-weights' }));
      }),
    );
    fc.assert(
      fc.property(fc.json(), (json) => {
        expect(() => read(withHeader(json))).toThrow(expect.objectContaining({ code: 'bad-weights' }));
      }),
    );
  });

  it.each<[string, Uint8Array]>([
    ['expected a safetensors file of at least 8 bytes, found 3.', valid.subarray(0, 3)],
    [
      'expected a safetensors file, found one of an unknown kind, with 12 bytes that begin with 00 10 a5 d4 e8 00 00 00 00 00 00 00.',
      (() => {
        const file = new Uint8Array(12);
        new DataView(file.buffer).setBigUint64(0, 1_000_000_000_000n, true);
        return file;
      })(),
    ],
    ['expected a header in JSON, found something else.', withHeader('{"conv1.weight":')],
    [
      'expected a header of 1000 bytes, found 4 bytes behind its length: the file is not whole.',
      Uint8Array.from([0xe8, 3, 0, 0, 0, 0, 0, 0, 0x7b, 0x22, 0x61, 0x22]),
    ],
    [
      'expected at most 4 arrays and objects inside one another, found more.',
      withHeader(`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`),
    ],
    [
      'expected every name once, found "fc1.bias" twice in its header.',
      withHeader(headerText().replace('{', `{"fc1.bias":${JSON.stringify(ENTRY)},`)),
    ],
    [
      'expected every name once, found "shape" twice in its header.',
      withHeader(headerText().replace('"shape"', '"sh\\u0061pe":[2],"shape"')),
    ],
    [
      'expected __metadata__ to map names to strings, found "{\\"a\\":1}".',
      changedHeader((header) => Object.assign(header, { ['__metadata__']: { a: 1 } })),
    ],
    [
      'expected the 4 tensors of the network, found a file with "__proto__", which the network does not have.',
      withHeader(headerText().replace('{', `{"__proto__":${JSON.stringify(ENTRY)},`)),
    ],
    [
      'expected conv1.weight of shape 2 x 1 x 3 x 3, found 7 x 7 x 7 x 7 x 7 x 7 x ..., 100000 axes in all.',
      changedHeader((header) => {
        header['conv1.weight']!.shape = Array.from({ length: 100_000 }, () => 7);
      }),
    ],
    ['expected a data section of 188 bytes, found 180: the file is not whole.', valid.subarray(0, -8)],
    [
      'expected the 4 tensors of the network, found a file without conv1.bias.',
      changedHeader((header) => {
        delete header['conv1.bias'];
      }),
    ],
    [
      'expected the 4 tensors of the network, found a file without conv1.weight, conv1.bias, fc1.weight and 1 more and with "fc9.weight", which the network does not have.',
      withHeader({ 'fc9.weight': ENTRY }),
    ],
    [
      'expected conv1.weight to be of type F32, F16, BF16 or F64, found "I32".',
      changedHeader((header) => {
        header['conv1.weight']!.dtype = 'I32';
      }),
    ],
    [
      'expected conv1.weight of shape 2 x 1 x 3 x 3, found 2 x 9.',
      changedHeader((header) => {
        header['conv1.weight']!.shape = [2, 9];
      }),
    ],
    [
      'expected 8 bytes of conv1.bias, found data_offsets from 72 to 84.',
      changedHeader((header) => {
        header['conv1.bias']!.data_offsets = [72, 84];
      }),
    ],
    [
      'expected 8 bytes of conv1.bias, found data_offsets from 80 to 72.',
      changedHeader((header) => {
        header['conv1.bias']!.data_offsets = [80, 72];
      }),
    ],
    [
      'expected the data of conv1.bias to begin at byte 72 of the data section, found 64.',
      changedHeader((header) => {
        header['conv1.bias']!.data_offsets = [64, 72];
      }),
    ],
    [
      'expected the data of conv1.bias to begin at byte 72 of the data section, found 4096.',
      changedHeader((header) => {
        header['conv1.bias']!.data_offsets = [4096, 4104];
        header['fc1.weight']!.data_offsets = [5000, 5096];
        header['fc1.bias']!.data_offsets = [6000, 6012];
      }),
    ],
    [
      'expected dtype, shape and data_offsets of "fc1.bias", found "{\\"dtype\\":\\"F32\\"}".',
      changedHeader((header) => {
        header['fc1.bias'] = { dtype: 'F32' } as Header[string];
      }),
    ],
    [
      'expected finite values, found 1 NaN and 1 infinite in conv1.bias.',
      writeSafetensors(
        tensors.map((tensor) =>
          tensor.name === 'conv1.bias'
            ? { ...tensor, values: new Float32Array([Number.NaN, Infinity]) }
            : tensor,
        ),
      ),
    ],
  ])('says: %s', (sentence, file) => {
    expect(() => read(file)).toThrow(
      expect.objectContaining({ code: 'bad-weights', message: `w.safetensors: ${sentence}` }),
    );
  });
});

describe('weights of other types and names', () => {
  /** A file with the tensors encoded by `encode`, `bytes` a value. */
  function encoded(
    dtype: string,
    bytes: number,
    encode: (view: DataView, at: number, value: number) => void,
  ): Uint8Array {
    const size = tensors.reduce((sum, { values }) => sum + values.length, 0);
    const data = new Uint8Array(size * bytes);
    const view = new DataView(data.buffer);
    const all = tensors.flatMap(({ values }) => [...values]);
    for (const [i, value] of all.entries()) encode(view, i * bytes, value);
    let end = 0;
    const header = Object.fromEntries(
      tensors.map(({ name, shape, values }) => {
        const begin = end;
        end += values.length * bytes;
        return [name, { dtype, shape, data_offsets: [begin, end] }];
      }),
    );
    return withHeader(header, data);
  }
  const f64 = (value?: number): Uint8Array =>
    encoded('F64', 8, (view, at, own) => {
      view.setFloat64(at, value !== undefined && at === 8 ? value : own, true);
    });

  // Catches: a type refused that PyTorch saves, a conversion that nobody is told of.
  it.each([
    ['F64', f64()],
    [
      'BF16',
      encoded('BF16', 2, (view, at, value) => {
        view.setUint16(at, new Uint32Array(Float32Array.of(value).buffer)[0]! >>> 16, true);
      }),
    ],
  ])('are read from %s and converted, and that is said', (dtype, file) => {
    const { values, remark } = readSafetensors(file, plan.parameters, 'w.safetensors');
    expect(remark).toBe(`w.safetensors: ${dtype} was converted to float32.`);
    // The values of these tensors need 12 bits at most; BF16 has 8.
    const kept = dtype === 'BF16' ? 2 ** -6 : 0;
    for (const { name, values: given } of tensors) {
      for (const [i, value] of (values.get(name) ?? []).entries()) {
        expect(Math.abs(value - given[i]!)).toBeLessThanOrEqual(kept * Math.abs(given[i]!));
      }
    }
  });

  // Catches: infinite weights that come of a conversion.
  it('are refused where float32 cannot hold them', () => {
    expect(() => read(f64(1e39))).toThrow(
      'w.safetensors: expected finite values, found 0 NaN and 1 infinite in conv1.weight as float32.',
    );
    expect(read(f64(1e-60)).get('conv1.weight')?.[1]).toBe(0);
  });

  const prefixed = (...prefixes: string[]): Uint8Array =>
    withHeader(
      Object.fromEntries(
        Object.entries(JSON.parse(headerText()) as Header).map(([name, value], i) => [
          name === '__metadata__' ? name : `${prefixes[i % prefixes.length] ?? ''}${name}`,
          value,
        ]),
      ),
    );

  // Catches: weights of DataParallel or a compiled model refused, or taken without a word.
  it.each(['module.', '_orig_mod.', 'module._orig_mod.', '_orig_mod.module.module.'])(
    'have the prefix %s taken off, and that is said',
    (prefix) => {
      const { values, remark } = readSafetensors(prefixed(prefix), plan.parameters, 'w.safetensors');
      expect(values).toEqual(asMap);
      expect(remark).toBe(`w.safetensors: the prefix "${prefix}" was taken off every name.`);
    },
  );

  it('have no prefix taken off that only some have, or that the network has itself', () => {
    expect(() => read(prefixed('module.', ''))).toThrow('found a file without');
    const own = [{ ...plan.parameters[0]!, name: 'module.weight' }];
    const file = writeSafetensors([{ ...tensors[0]!, name: 'module.weight' }]);
    const { values, remark } = readSafetensors(file, own, 'w.safetensors');
    expect([[...values.keys()], remark]).toEqual([['module.weight'], null]);
  });

  // Catches: a sentence of a thousand characters, out of names that the file brings.
  it('are refused in at most 300 characters', () => {
    const names = Array.from({ length: 1000 }, (_, i) => [`${'long.'.repeat(50)}${i}`, ENTRY]);
    for (const file of [withHeader(Object.fromEntries(names)), prefixed('x'.repeat(5000))]) {
      let message = '';
      try {
        readSafetensors(file, plan.parameters, `/${'folder/'.repeat(100)}w.safetensors`);
      } catch (error) {
        ({ message } = error as Error);
      }
      expect(message.length).toBeGreaterThan(100);
      expect(message.length).toBeLessThanOrEqual(300);
      expect(message).toContain('w.safetensors: expected the 4 tensors of the network');
    }
  });
});

describe('a header with hundreds of thousands of faults', () => {
  // Catches: a stack that overflows, or minutes spent on telling all of them.
  it.each<[string, unknown]>([
    ['wrong tensors', Object.fromEntries(Array.from({ length: 300_000 }, (_, i) => [`t${String(i)}`, 0]))],
    ['wrong extents', { w: { dtype: 'F32', shape: Array(500_000).fill('x'), data_offsets: [0, 4] } }],
    ['extents', { w: { dtype: 'F32', shape: Array(500_000).fill(1), data_offsets: [0, 4] } }],
    ['offsets', { w: { dtype: 'F32', shape: [1], data_offsets: Array(500_000).fill(0) } }],
  ])('is refused in one sentence for its %s', (_, header) => {
    expect(() => readSafetensors(withHeader(header), plan.parameters, 'many')).toThrow(
      expect.objectContaining({
        code: 'bad-weights',
        message: expect.stringMatching(/^many: .{1,290}$/) as unknown,
      }),
    );
  });
});

describe('a file of another kind', () => {
  const text = (content: string): Uint8Array => new TextEncoder().encode(content);

  // Catches: the number of header bytes that somebody else's format happens to spell.
  it.each<[string, string, Uint8Array]>([
    [
      'a PyTorch file (torch.save); convert it in Python',
      'a .pt',
      text(`PK\u0003\u0004\u0014${'\0'.repeat(25)}archive/data.pkl`),
    ],
    [
      'NumPy arrays (.npz); convert it in Python',
      'an .npz',
      text(`PK\u0003\u0004\u0014${'\0'.repeat(25)}conv1.weight.npy`),
    ],
    ['a NumPy array (.npy)', 'an .npy', Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0)],
    ['an HDF5 file (.h5)', 'an .h5', Uint8Array.of(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a, 0)],
    [
      'a file compressed by gzip (.gz); unpack it first, with gunzip',
      'a .gz',
      Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3),
    ],
    ['an HTML page', 'a page', text('\n<!DOCTYPE html><html><body>404</body></html>')],
    [
      'a Git LFS pointer',
      'a pointer',
      text('version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n'),
    ],
    ['a Python pickle', 'an old pickle', Uint8Array.of(0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9)],
    ['a text in JSON', 'JSON', text('{"weight_map": {}}')],
    ['a text.', 'text', text('not weights at all')],
    ['a text.', 'a short text', text('hello')],
    ['an empty file', 'nothing', new Uint8Array(0)],
    ['nothing but zero bytes', 'zeros', new Uint8Array(5000)],
    ['images in IDX format', 'MNIST', Uint8Array.of(0, 0, 8, 3, 0, 0, 0xea, 0x60, 0, 0, 0, 28)],
    ['a picture (PNG)', 'a picture', Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)],
  ])('is told as %s for %s', (what, _name, file) => {
    const sentence = `w.safetensors: expected a safetensors file, found ${what}`;
    expect(() => read(file)).toThrow(sentence);
  });
});
