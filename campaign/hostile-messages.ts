import { encodeEnvelope } from '../src-shared/protocol/envelope';
import { REQUEST_NAMES } from '../src-shared/protocol/messages';
import { DEFAULT_RUN_CONFIG } from '../src-shared/model/run-config';
import type { Random } from './random';

/** Something that a client should not send, or not so often. */
export interface Hostile {
  readonly kind: string;
  readonly data: unknown;
}

type Make = (random: Random) => unknown;

const nested = (depth: number, open: string, close: string): string =>
  open.repeat(depth) + close.repeat(depth);
const text = (message: unknown): string => JSON.stringify(message);
const junk = (random: Random): unknown =>
  random.pick<unknown>([
    null,
    true,
    -1,
    1.5,
    1e308,
    '',
    'x'.repeat(random.below(5000)),
    [],
    {},
    [[]],
    { a: { b: 1 } },
  ]);
const id = (random: Random): number => random.below(2 ** 31);
const request = (
  random: Random,
  method: string,
  params: unknown,
  payload?: Uint8Array,
): string | Uint8Array => {
  const head = { type: 'request', id: id(random), method, params };
  return payload === undefined ? text(head) : encodeEnvelope(head, payload);
};
const wrongOrder: Make = (random) =>
  random.pick<unknown>([
    [],
    [[]],
    [[-1]],
    [[59_999, 60_000]],
    [Array(random.below(3000) + 1).fill('x')],
    [Array(random.below(3000) + 1).fill(-1)],
    nested(random.below(20) + 3, '[', ']'),
  ]);

/** Refused, or done without an effect on the run: the connection stays. */
const BEARABLE: Readonly<Record<string, Make>> = {
  'unknown command': (random) => request(random, 'x'.repeat(random.below(2000)), {}),
  'wrong parameters': (random) =>
    request(
      random,
      random.pick(['setMode', 'setSpeed', 'setWeight', 'readTensor', 'explain', 'chooseDigit']),
      {
        [random.pick(['name', 'mode', 'index', 'constructor', '__proto__'])]: junk(random),
      },
    ),
  'wrong order': (random) =>
    request(random, 'restart', {
      config: { ...DEFAULT_RUN_CONFIG, order: wrongOrder(random) },
      weightsFile: null,
    }),
  'wrong config': (random) =>
    request(random, 'restart', {
      config: {
        ...DEFAULT_RUN_CONFIG,
        [random.pick(['recipe', 'seed', 'mode', 'engine', 'epochs'])]: { x: junk(random) },
      },
      weightsFile: null,
    }),
  'weights that are none': (random) =>
    request(
      random,
      'loadWeights',
      { fileName: 'x'.repeat(random.below(500)) },
      random.bytes(random.below(200)),
    ),
  'drawing of another size': (random) =>
    request(random, 'drawDigit', { assumedLabel: random.below(2000) }, random.bytes(random.below(100))),
  'request in a flood': (random) => request(random, random.pick(['saveWeights', 'measureStep']), {}),
  'tensor that there is not': (random) =>
    request(random, 'readTensor', {
      name: random.pick(['conv1', 'fc9.weight', 'x'.repeat(150)]),
      kind: 'weight',
    }),
  credit: () => text({ type: 'credit', count: 2 }),
  visibility: (random) => text({ type: 'visibility', visible: random.below(2) === 0 }),
  watch: (random) =>
    text({
      type: 'watch',
      items: Array.from({ length: random.below(40) }, (_, i) => ({
        name: random.below(3) === 0 ? 'conv1.weight' : `layer${String(i)}`,
        kind: 'weight',
        maxValues: 1 + i,
      })).filter(({ name }, i, all) => all.findIndex((other) => other.name === name) === i),
    }),
};

/** Malformed: the connection must end, and nothing else. */
const FATAL: Readonly<Record<string, Make>> = {
  'deep arrays': (random) => nested(33 + random.below(20_000), '[', ']'),
  'deep objects': (random) => `${'{"a":'.repeat(33 + random.below(10_000))}1`,
  'deep parameters': (random) =>
    `{"type":"request","id":1,"method":"play","params":{"a":${nested(40 + random.below(5000), '[', ']')}}}`,
  'wide list': (random) => text({ type: 'watch', items: Array(513 + random.below(5000)).fill(1) }),
  'wide object': (random) =>
    text({
      type: 'hello',
      ...Object.fromEntries(Array.from({ length: random.below(3000) }, (_, i) => [i, i])),
    }),
  'cut off': (random) => text({ type: 'credit', count: 1 }).slice(0, 1 + random.below(24)),
  'no JSON': (random) =>
    String.fromCharCode(...random.bytes(1 + random.below(300)).map((byte) => byte & 0x7f)) + '}',
  'unknown type': (random) => text({ type: junk(random) }),
  'one field more': (random) =>
    text({ type: 'credit', count: 1, [`x${String(random.below(9))}`]: junk(random) }),
  'wrong count': (random) => text({ type: 'credit', count: random.pick([0, 3, -1, 1e20, 1.5, null, '1']) }),
  'wrong id': (random) =>
    text({
      type: 'request',
      id: random.pick<unknown>([-1, 2 ** 53, 1.5, null, '1', {}]),
      method: 'play',
      params: {},
    }),
  'watched twice': () =>
    text({ type: 'watch', items: Array(2).fill({ name: 'a', kind: 'weight', maxValues: 1 }) }),
  'hello again': () => text({ type: 'hello', protocol: 1 }),
  'bytes that are no envelope': (random) => random.bytes(random.below(300)),
  'envelope cut off': (random) => {
    const whole = encodeEnvelope({ type: 'credit', count: 1 }, random.bytes(8));
    return whole.subarray(0, random.below(20));
  },
  'envelope with a false length': (random) => {
    const whole = encodeEnvelope({ type: 'credit', count: 1 }, random.bytes(8));
    new DataView(whole.buffer).setUint32(4, whole.length + random.below(2 ** 31), true);
    return whole;
  },
  'envelope with a broken head': (random) => {
    const whole = encodeEnvelope({ type: 'credit', count: 1 }, random.bytes(8));
    whole[8 + random.below(4)] = 0xff;
    return whole;
  },
};

/** What only a message port can carry. */
const OBJECTS: Readonly<Record<string, Make>> = {
  map: () => new Map([[1, 2]]),
  date: () => ({ type: 'request', id: 1, method: 'play', params: { at: new Date(0) } }),
  'typed array': (random) => new Float64Array(random.below(50)),
  'big integer': () => ({ type: 'credit', count: 1n }),
  'object in itself': () => {
    const ring: Record<string, unknown> = { type: 'request', id: 1, method: 'play' };
    ring['params'] = ring;
    return ring;
  },
  'deep object': (random) => {
    let value: unknown = 1;
    for (let depth = 40 + random.below(400); depth > 0; depth -= 1)
      value = random.below(2) === 0 ? [value] : { a: value };
    return { type: 'request', id: 1, method: 'play', params: { value } };
  },
  'endless list': () => ({ type: 'watch', items: new Array(2 ** 32 - 1) }),
  'no message': (random) => junk(random),
};

const kindsOf = (makes: Readonly<Record<string, Make>>): readonly [string, Make][] => Object.entries(makes);

export function bearable(random: Random): Hostile {
  const [kind, make] = random.pick(kindsOf(BEARABLE));
  return { kind, data: make(random) };
}

/** @param objects - whether the transport carries objects */
export function fatal(random: Random, objects: boolean): Hostile {
  const [kind, make] = random.pick(kindsOf(objects && random.below(2) === 0 ? OBJECTS : FATAL));
  return { kind, data: make(random) };
}

/** A first message that is not hello, or not the right one. */
export function falseHello(random: Random): Hostile {
  const data = random.pick([
    text({ type: 'hello', protocol: random.pick<unknown>([0, 2, -1, 1e300, '1', null]) }),
    request(random, random.pick(REQUEST_NAMES), {}),
    text({ type: 'credit', count: 1 }),
  ]);
  return { kind: 'false hello', data };
}
