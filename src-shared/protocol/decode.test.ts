import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MOST_BATCH_INDICES, MOST_ORDER_VALUES, orderFault } from '../model/order';
import { DEFAULT_RUN_CONFIG } from '../model/run-config';
import { decodeFirstMessage, decodePageMessage, decodeTrainerMessage } from './decode';
import { MAX_HELLO_BYTES, MAX_TEXT_BYTES } from './limits';
import { REQUESTS, slotStateSchema, type SlotState } from './messages';

const HEAD = {
  type: 'frame',
  runId: 1,
  layoutId: 2,
  step: 3,
  phase: 'step',
  layer: null,
  example: null,
  appliedAtMs: 0.5,
  skipped: 0,
};

const state = fc.record<SlotState>({
  freshness: fc.constantFrom('fresh' as const, 'old' as const, 'cleared' as const),
  step: fc.nat(2),
  phase: fc.constantFrom(null, 'step' as const),
  nan: fc.nat(1),
  infinite: fc.nat(1),
});
const wrong = fc.constantFrom<unknown>(null, 3, {}, { ...HEAD });
const broken = fc
  .tuple(state, fc.constantFrom('freshness', 'step', 'phase', 'nan', 'infinite', 'more'), wrong)
  .map(([right, key, value]) => ({ ...right, [key]: value }));

describe('states of a frame', () => {
  // Catches: a state that is taken for another one, or out of its order.
  it('come through as they are', () => {
    fc.assert(
      fc.property(fc.array(state, { maxLength: 12 }), (slots) => {
        const { message } = decodeTrainerMessage({ ...HEAD, slots });
        expect(message).toEqual({ ...HEAD, slots });
      }),
    );
  });

  // Catches: a wrong state that passes because it looks like one that was right, or whose place is not named.
  it('are refused wherever the schema of one refuses it, by their place', () => {
    fc.assert(
      fc.property(
        fc.array(state, { maxLength: 6 }),
        fc.oneof(broken, wrong),
        fc.nat(6),
        (right, other, place) => {
          const at = Math.min(place, right.length);
          const slots = right.toSpliced(at, 0, other as SlotState);
          const decode = (): unknown => decodeTrainerMessage({ ...HEAD, slots });
          if (slotStateSchema.safeParse(other).success) expect(decode).not.toThrow();
          else expect(decode).toThrow(`Field slots.${String(at)}`);
        },
      ),
    );
  });

  it('are a list', () => {
    expect(() => decodeTrainerMessage({ ...HEAD, slots: { length: 0 } })).toThrow('Field slots');
  });
});

/** An envelope whose head is any text. */
function envelopeOf(head: string): Uint8Array {
  const bytes = new TextEncoder().encode(head);
  const envelope = new Uint8Array(8 + bytes.length + 8);
  const view = new DataView(envelope.buffer);
  view.setUint32(0, 0x31435347, true);
  view.setUint32(4, bytes.length, true);
  envelope.set(bytes, 8);
  return envelope;
}

const deepText = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;
function deepObject(depth: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i += 1) value = { a: value };
  return value;
}
const request = (params: unknown): unknown => ({ type: 'request', id: 1, method: 'restart', params });

describe('whatever comes', () => {
  // Catches: a stack that overflows in JSON.parse, in a schema or in a clone, and ends the process.
  it.each([
    ['a text of 4,000 nested arrays', deepText(4000)],
    ['a text of a million nested arrays', deepText(1_000_000)],
    ['an envelope with a head as deep', envelopeOf(`{"type":${deepText(4000)}}`)],
    ['an object as deep', request(deepObject(4000))],
    [
      'an object that has itself inside',
      (() => {
        const ring: Record<string, unknown> = {};
        ring['ring'] = ring;
        return request(ring);
      })(),
    ],
    ['a text of two million values', `[${'1,'.repeat(2_000_000)}1]`],
    ['a list that says it has four billion values', request({ list: new Array(4_000_000_000) })],
    ['a map', request(new Map([[1, 2]]))],
    ['a typed array', new Float64Array(8)],
    ['nothing', undefined],
    ['text that is no JSON', 'hello'],
    ['text that ends early', '{"type":"hello"'],
    ['an envelope of nothing', new Uint8Array(0)],
    [
      'a head that is no UTF-8',
      (() => {
        const envelope = envelopeOf('abcd');
        envelope[9] = 0xff;
        return envelope;
      })(),
    ],
    [
      '100,000 fields',
      JSON.stringify({
        type: 'hello',
        ...Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`x${String(i)}`, i])),
      }),
    ],
    [
      'a name of a megabyte',
      JSON.stringify({ type: 'watch', items: [{ name: 'x'.repeat(1e6), kind: 'weight', maxValues: 1 }] }),
    ],
    ['an id that is not exact', '{"type":"request","id":9007199254740993,"method":"play","params":{}}'],
  ])('%s is refused in one short sentence', (_what, raw) => {
    expect(() => decodePageMessage(raw)).toThrow(expect.objectContaining({ code: 'malformed-message' }));
    expect(() => decodePageMessage(raw)).toThrow(/^.{1,500}$/);
    expect(() => decodeTrainerMessage(raw)).toThrow(expect.objectContaining({ code: 'malformed-message' }));
  });

  it('is refused when it is larger than a message may be', () => {
    for (const raw of ['x'.repeat(64 * 1024 * 1024 + 1), new Uint8Array(64 * 1024 * 1024 + 1)]) {
      expect(() => decodePageMessage(raw)).toThrow(
        'A message may have 67108864 bytes, but one had 67108865.',
      );
    }
  });

  // Catches: a text, or the head of an envelope, that holds everybody for seconds while it is read.
  it.each([
    ['a text', ' '.repeat(MAX_TEXT_BYTES + 1)],
    ['the head of an envelope', envelopeOf(' '.repeat(MAX_TEXT_BYTES + 1))],
  ])('is refused as %s that is longer than any message needs', (_what, raw) => {
    const refusal = {
      code: 'message-too-large',
      message: 'The JSON of a message may have 8388608 bytes, but one had 8388609.',
    };
    expect(() => decodePageMessage(raw)).toThrow(expect.objectContaining(refusal));
    expect(() => decodeTrainerMessage(raw)).toThrow(expect.objectContaining(refusal));
  });

  it('is refused as an object with as many characters', () => {
    const long = 'x'.repeat(MAX_TEXT_BYTES + 1);
    for (const params of [{ a: long }, { [long]: 1 }]) {
      expect(() => decodePageMessage(request(params))).toThrow(
        expect.objectContaining({ code: 'message-too-large' }),
      );
    }
  });

  // Catches: a text that takes many times as long to make as it takes to send.
  it.each([
    ['objects', Array(20_000).fill({})],
    ['texts', Array(20_000).fill('')],
    ['fields', Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [String(i), i]))],
    ['arrays', Array(460_000).fill([])],
  ])('is refused with more %s than any message needs', (_what, list) => {
    for (const raw of [request({ list }), JSON.stringify(request({ list }))])
      expect(() => decodePageMessage(raw)).toThrow(
        /^A message: expected at most (20000 objects, texts and|460000 arrays)/,
      );
  });

  // Catches: a limit below what the longest order needs.
  it('is read when it is the longest order that a dataset of 1 GiB can have, in the longest form', () => {
    const indices = Array<string>(MOST_ORDER_VALUES / 2 - 1).fill('1369000');
    const batches = Array<string>(MOST_ORDER_VALUES / 2).fill('[1369000]');
    for (const order of [`[[${indices.join(', ')}], [${indices.join(', ')}]]`, `[${batches.join(', ')}]`]) {
      const config = JSON.stringify(DEFAULT_RUN_CONFIG).replace('"order":null', `"order":${order}`);
      const params = `{"config":${config},"weightsFile":"${'x'.repeat(200)}"}`;
      const { message } = decodePageMessage(
        `{"type":"request","id":1,"method":"restart","params":${params}}`,
      );
      const asked = (message as Extract<typeof message, { type: 'request' }>).params;
      expect(orderFault(REQUESTS.restart[0].parse(asked).config.order, 1_369_001)).toBeUndefined();
    }
  });

  // Catches: a minibatch that the page refuses to hear of, again with every step.
  it('tells a page of the largest minibatch that an order can have', () => {
    const indices = Array<number>(MOST_BATCH_INDICES).fill(1_369_000);
    const labels = Array<number>(MOST_BATCH_INDICES).fill(255);
    expect(orderFault([indices], 1_369_001)).toBeUndefined();
    const text = JSON.stringify({ type: 'status', runId: 1, minibatch: { indices, labels } });
    // Its size is let through, and only what is left out here is missed.
    expect(() => decodeTrainerMessage(text)).toThrow(/^Field/);
  });

  // Catches: whoever has not even said hello holding everybody.
  it('has little room in the first message', () => {
    const hello = JSON.stringify({ type: 'hello', protocol: 1 });
    expect(decodeFirstMessage(hello.padEnd(MAX_HELLO_BYTES)).message.type).toBe('hello');
    for (const raw of [hello.padEnd(MAX_HELLO_BYTES + 1), envelopeOf(hello.padEnd(MAX_HELLO_BYTES))])
      expect(() => decodeFirstMessage(raw)).toThrow(expect.objectContaining({ code: 'message-too-large' }));
    expect(() => decodeFirstMessage(request({ list: Array(1000).fill(1) }))).toThrow('at most 1000 values');
  });

  // Catches: a sentence that begins with nothing.
  it('has no empty name of a file or a tensor', () => {
    const restart = { config: DEFAULT_RUN_CONFIG, weightsFile: '' };
    const fault = (parsed: { error?: { issues: { message: string }[] } | undefined }): unknown =>
      parsed.error?.issues[0]?.message;
    const ofFile = 'expected the name of a file, found an empty text';
    expect(fault(REQUESTS.restart[0].safeParse(restart))).toBe(ofFile);
    expect(fault(REQUESTS.loadWeights[0].safeParse({ fileName: '' }))).toBe(ofFile);
    expect(fault(REQUESTS.setWeight[0].safeParse({ name: '', index: 0, value: 0 }))).toBe(
      'expected a name, found an empty text',
    );
  });

  // Catches: a page that keeps a sentence of any length from a trainer of another make.
  it('says no more than anybody reads', () => {
    const goodbye = { type: 'goodbye', code: 'internal', message: 'x'.repeat(100_000) };
    const { message } = decodeTrainerMessage(goodbye);
    expect(message).toMatchObject({ message: `${'x'.repeat(497)}...` });
  });

  // Catches: lists of faults that are longer than the stack, or kept in memory one by one.
  it('stops at the first fault of a list', () => {
    const wrong = Array(500_000).fill(1);
    for (const message of [
      { type: 'layout', layoutId: 1, slots: wrong },
      {
        type: 'frame',
        runId: 1,
        layoutId: 1,
        step: 1,
        phase: null,
        appliedAtMs: null,
        skipped: 0,
        slots: wrong,
      },
    ]) {
      expect(() => decodeTrainerMessage(message)).toThrow(/^Field slots\.0/);
    }
  });
});
