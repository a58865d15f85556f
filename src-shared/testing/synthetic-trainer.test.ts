import { expect, test } from 'vitest';
import { decodeTrainerMessage } from '../protocol/decode';
import type { TrainerMessage } from '../protocol/messages';
import type { WireMessage } from '../protocol/port';
import { memoryPortPair } from './memory-port';
import { SyntheticTrainer } from './synthetic-trainer';

interface Talk {
  readonly heard: TrainerMessage[];
  readonly payloads: Uint8Array[];
  readonly say: (message: WireMessage) => Promise<void>;
}

async function talk(steps: number): Promise<Talk> {
  const [page, end] = memoryPortPair();
  new SyntheticTrainer(end, { now: () => 1000, steps });
  const heard: TrainerMessage[] = [];
  const payloads: Uint8Array[] = [];
  page.onMessage((raw) => {
    const { message, payload } = decodeTrainerMessage(raw);
    heard.push(message);
    payloads.push(payload);
  });
  const say = async (message: WireMessage): Promise<void> => {
    page.send(message);
    for (let turn = 0; turn < 8; turn += 1) await Promise.resolve();
  };
  await say({ type: 'hello', protocol: 1 });
  return { heard, payloads, say };
}

const request = (method: string, params: object = {}): WireMessage => ({
  type: 'request',
  id: 1,
  method,
  params,
});
const WEIGHTS = { type: 'watch', items: [{ name: 'conv1.weight', kind: 'weight', maxValues: 1000 }] };

test('it says nothing that the protocol does not know, and the same every time', async () => {
  const runs = [];
  for (let run = 0; run < 2; run += 1) {
    const { heard, payloads, say } = await talk(3);
    await say(WEIGHTS);
    await say({ type: 'credit', count: 2 });
    for (const method of ['stepPhase', 'stepBatch', 'play', 'pause', 'saveWeights'])
      await say(request(method));
    runs.push({ heard, payloads });
  }
  expect(runs[0]).toEqual(runs[1]);
  const types = new Set(runs[0]?.heard.map(({ type }) => type));
  expect(types).toEqual(new Set(['ready', 'metrics', 'evaluation', 'status', 'layout', 'frame', 'reply']));
});

test('dW is W after minus W before', async () => {
  const { heard, payloads, say } = await talk(0);
  const last = (): Float32Array => {
    const index = heard.findLastIndex(({ type }) => type === 'reply');
    return new Float32Array(payloads[index]?.slice().buffer ?? new ArrayBuffer(0));
  };
  const read = async (kind: string): Promise<Float32Array> => {
    await say(request('readTensor', { name: 'conv2.weight', kind }));
    return last();
  };
  const before = await read('weight');
  await say(request('stepBatch'));
  const after = await read('weight');
  const update = await read('update');
  expect(update).toEqual(after.map((value, index) => value - (before[index] ?? 0)));
  expect(update.some((value) => value !== 0)).toBe(true);
});

test('a NaN in a weight is reported once, by name', async () => {
  const { heard, say } = await talk(1);
  await say(request('setWeight', { name: 'conv1.weight', index: 0, value: 'NaN' }));
  for (let phase = 0; phase < 7; phase += 1) await say(request('stepPhase'));
  expect(heard.filter(({ type }) => type === 'nonFinite')).toMatchObject([
    { tensor: 'conv1.weight', step: 2 },
  ]);
});
