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
  readSafetensors(file, plan.parameters, 'w.safetensors');
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

type Header = Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>;
function changedHeader(change: (header: Header) => void): Uint8Array {
  const header = JSON.parse(new TextDecoder().decode(valid.subarray(8, 8 + headerLength))) as Header;
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
    expect(() => read(longer)).toThrow('the file is not whole');
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

  const entry = { dtype: 'F32', shape: [1], data_offsets: [0, 4] as [number, number] };
  it.each<[string, Uint8Array]>([
    ['expected a safetensors file of at least 8 bytes, found 3.', valid.subarray(0, 3)],
    [
      'expected a header of at most 4 bytes, found a header length of 1000000000000.',
      (() => {
        const file = new Uint8Array(12);
        new DataView(file.buffer).setBigUint64(0, 1_000_000_000_000n, true);
        return file;
      })(),
    ],
    ['expected a header in JSON, found something else.', withHeader('{"conv1.weight":')],
    ['expected a header that maps names to tensors, found other JSON.', withHeader('[]')],
    [
      'expected the 4 tensors of the network, found a file without conv1.bias.',
      changedHeader((header) => {
        delete header['conv1.bias'];
      }),
    ],
    [
      'expected the 4 tensors of the network, found a file without conv1.weight, conv1.bias, fc1.weight and 1 more and with "fc9.weight", which the network does not have.',
      withHeader({ 'fc9.weight': entry }),
    ],
    [
      'expected conv1.weight to be of type F32, found "F16".',
      changedHeader((header) => {
        header['conv1.weight']!.dtype = 'F16';
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
