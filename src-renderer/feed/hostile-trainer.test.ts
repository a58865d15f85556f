import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { decodeTrainerMessage, encodeMessage, type Received } from '../../src-shared/protocol/decode';
import type { TrainerMessage } from '../../src-shared/protocol/messages';
import type { Port, WireMessage } from '../../src-shared/protocol/port';
import { memoryPortPair } from '../../src-shared/testing/memory-port';
import { SyntheticTrainer } from '../../src-shared/testing/synthetic-trainer';
import { FrameStore } from '../frames/frame-store';
import { MetricsStore } from '../frames/metrics-store';
import { appStore, INITIAL_STATE } from '../state/store';
import { Feed } from './feed';

beforeEach(() => {
  appStore.setState(INITIAL_STATE, true);
});

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
};

interface OpenPage {
  readonly feed: Feed;
  readonly end: Port;
}

/** A page that is connected to a trainer, whose words are put into `said`. */
async function openPage(said: unknown[] = [], steps = 0): Promise<OpenPage> {
  const [page, end] = memoryPortPair();
  const recorded: Port = {
    bufferedBytes: 0,
    send: (message) => {
      said.push(message instanceof Uint8Array ? message.slice() : structuredClone(message));
      end.send(message);
    },
    onMessage: (receiver) => end.onMessage(receiver),
    onClose: (receiver) => end.onClose(receiver),
    close: () => {
      end.close();
    },
  };
  const trainer = new SyntheticTrainer(recorded, { now: () => 5000 });
  const feed = new Feed({
    pace: {
      drawn: (returnCredit) => {
        returnCredit();
      },
    },
    frames: new FrameStore(),
    metrics: new MetricsStore(),
    now: () => 5000,
    connect: () => Promise.resolve(page),
  });
  await feed.connect();
  await settle();
  trainer.train(steps);
  await settle();
  return { feed, end };
}

/** What a value is replaced by: what the schema still lets through, and what it does not. */
const OTHERS = {
  number: [0, 1, 2, 7, 1000, 2 ** 31, 2 ** 53 - 1, 2 ** 53, 1e300, -1, 0.5],
  string: ['', 'conv1', '%%%', 'x'.repeat(3000)],
  any: [null, true, 3, 'conv1', [], [[]], [1e9, 1e9], {}],
};

type Path = readonly (string | number)[];

function pathsIn(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, inner]) => pathsIn(inner, [...path, key]))];
}

function withOther(value: unknown, [key, ...rest]: Path, other: unknown): unknown {
  if (key === undefined) return other;
  if (Array.isArray(value)) {
    return value.map((inner: unknown, at) => (String(at) === key ? withOther(inner, rest, other) : inner));
  }
  const fields = value as Record<string, unknown>;
  return { ...fields, [key]: withOther(fields[key], rest, other) };
}

function otherThan(value: unknown, choice: number): unknown {
  if (Array.isArray(value) && choice % 3 !== 0) {
    const items: readonly unknown[] = value;
    return choice % 2 === 0 ? items.slice(1) : [...items, ...items];
  }
  const kind = typeof value;
  const others = (kind === 'number' || kind === 'string') && choice % 4 !== 0 ? OTHERS[kind] : OTHERS.any;
  return others[choice % others.length];
}

interface Wish {
  readonly which: number;
  readonly changes: readonly { readonly at: number; readonly choice: number }[];
  readonly payload: 'kept' | 'cut' | 'none' | 'longer' | 'noise';
}

const wishes: fc.Arbitrary<Wish> = fc.record({
  which: fc.nat(),
  changes: fc.array(fc.record({ at: fc.nat(), choice: fc.nat(1000) }), { maxLength: 2 }),
  payload: fc.constantFrom('kept', 'cut', 'none', 'longer', 'noise'),
});

function distorted(
  { message, payload: sound }: Received<TrainerMessage>,
  { changes, payload }: Wish,
): unknown {
  let head: unknown = message;
  for (const { at, choice } of changes) {
    const paths = pathsIn(head);
    const path = paths[at % paths.length] ?? [];
    const value = path.reduce((inner: unknown, key) => (inner as Record<string, unknown>)[key], head);
    head = withOther(head, path, otherThan(value, choice));
  }
  if (sound.length === 0 || typeof head !== 'object' || head === null) return head;
  const changed = {
    kept: sound,
    cut: sound.subarray(0, sound.length >> 1),
    none: new Uint8Array(0),
    longer: Uint8Array.from({ length: sound.length + 3 }, (_, index) => sound[index] ?? 255),
    noise: sound.map((_, index) => (index * 167) & 255),
  }[payload];
  return encodeMessage(head as TrainerMessage, changed);
}

// Catches: a page that stops without a word, throws where nobody listens, or says `internal` of what another has sent.
test('a trainer that says something wrong is left with a code and a sentence, or the page goes on', async () => {
  const said: unknown[] = [];
  const { feed: recording } = await openPage(said, 70);
  await recording.request('chooseDigit', { testIndex: 3 });
  await recording.request('setWeight', { name: 'conv1.bias', index: 0, value: 1 });
  recording.close();
  const runId = appStore.getState().ready?.runId ?? 0;
  const rarely: TrainerMessage[] = [
    { type: 'digit', runId, testIndex: 5, label: 2, assumedLabel: null, pixels: btoa('\x00\x7f') },
    {
      type: 'nonFinite',
      runId,
      step: 2,
      phase: 'forward',
      layer: 'conv1',
      tensor: 'conv1',
      kind: 'output',
      nan: 1,
      infinite: 0,
    },
  ];
  const messages = [...said, ...rarely].map((raw) => decodeTrainerMessage(raw));
  let page = await openPage();
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(wishes, async (wish) => {
      const received = messages[wish.which % messages.length];
      if (received === undefined) throw new Error('The trainer has said nothing.');
      page.end.send(distorted(received, wish) as WireMessage);
      await settle();
      const { connection } = appStore.getState();
      seen.add(connection.code ?? connection.state);
      if (connection.state === 'open') return;
      expect(connection.state).toBe('lost');
      expect(['internal', 'connection-lost', 'closed', null]).not.toContain(connection.code);
      expect(connection.message?.length).toBeGreaterThan(10);
      expect(connection.message?.length).toBeLessThanOrEqual(500);
      page = await openPage();
      expect(appStore.getState().connection.state).toBe('open');
    }),
    { numRuns: 300, seed: 7, endOnFailure: true },
  );
  expect([...seen]).toEqual(expect.arrayContaining(['open', 'malformed-message']));
});
