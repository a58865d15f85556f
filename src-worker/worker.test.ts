import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_RUN_CONFIG, type Mode, type RunConfig } from '../src-shared/model/run-config';
import type { Status, WatchItem } from '../src-shared/protocol/messages';
import { type BuiltWorker, buildWorker } from './testing/built-worker';
import { type SmallMnist, smallMnist } from './testing/small-mnist';
import { type TestClient, TrainerProcess } from './testing/trainer-process';

/** Four minibatches an epoch. */
const TRAIN_EXAMPLES = 256;
const TEST_EXAMPLES = 120;
const CONFIG: RunConfig = { ...DEFAULT_RUN_CONFIG, engine: 'wasm', stopAtStep: 1000, epochs: 1000 };

const WEIGHT: WatchItem = { name: 'conv1.weight', kind: 'weight', maxValues: 250 };
const GRADIENT: WatchItem = { name: 'conv2.weight', kind: 'gradient', maxValues: 5000 };
const PROBABILITIES: WatchItem = { name: 'output', kind: 'digitProbabilities', maxValues: 10 };

let built: BuiltWorker;
let mnist: SmallMnist;
/** One process for all tests: each begins with a run of its own. */
let trainer: TrainerProcess;

beforeAll(async () => {
  mnist = smallMnist(TRAIN_EXAMPLES, TEST_EXAMPLES);
  built = await buildWorker();
  trainer = new TrainerProcess(built.script, { config: CONFIG, dataFolder: mnist.folder });
});
afterAll(async () => {
  const code = await trainer.end();
  built.remove();
  mnist.remove();
  expect([code, trainer.stderr]).toEqual([0, '']);
});
afterEach(() => {
  for (const client of trainer.clients) if (client.closed === undefined) client.close();
});

/** A client of a new run. */
async function begin(changes: Partial<RunConfig> = {}): Promise<TestClient> {
  const client = await trainer.connect();
  const { reply } = await client.request('restart', { config: { ...CONFIG, ...changes }, weightsFile: null });
  expect(reply.error).toBeNull();
  const { runId } = reply.result;
  client.forget(({ message }) => 'runId' in message && message.runId !== runId);
  return client;
}

const status = (client: TestClient): Status => {
  const last = client.last('status');
  if (last === undefined) throw new Error('No status was heard.');
  return last;
};

async function sha(client: TestClient): Promise<unknown> {
  const { reply } = await client.request('saveWeights', {});
  return reply.result['weightsSha256'];
}

/** Weights after `steps` steps of a run that nobody interrupts. */
async function shaOfFreeRun(steps: number, changes: Partial<RunConfig> = {}): Promise<unknown> {
  const client = await begin({ ...changes, stopAtStep: steps });
  await client.request('play', {});
  await client.next('status', ({ state, step }) => state === 'finished' && step === steps);
  return sha(client);
}

describe('the process', () => {
  it('has no Electron in it', () => {
    const files = readdirSync(built.folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.js'),
    );
    expect(files).toContain('training-thread.js');
    for (const file of files) {
      expect(readFileSync(path.join(built.folder, file), 'utf8')).not.toMatch(/["']electron["']/);
    }
  });

  it('goes when the process that spawned it is killed', async () => {
    const script = `
      const { fork } = require('node:child_process');
      const worker = fork(process.argv[1], [process.argv[2]], { serialization: 'advanced', execArgv: [] });
      worker.on('message', ({ data }) => data.type === 'ready' && console.log('ready'));
      worker.send({ client: 0, event: 'open' });
      worker.send({ client: 0, event: 'message', data: { type: 'hello', protocol: 1 } });`;
    const options = JSON.stringify({ config: CONFIG, dataFolder: mnist.folder });
    const host = spawn(process.execPath, ['-e', script, built.script, options], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(host.stdout, 'data');
    host.kill('SIGKILL');
    // The worker has inherited this pipe: it ends when the last of the two processes has gone.
    host.stdout.resume();
    await once(host.stdout, 'end');
  });

  // Catches: a trainer left for ever by a host that was killed before the trainer had loaded, when nobody listened yet.
  it.each([0, 20, 40, 60, 80, 120, 200])(
    'goes when its host is killed %i ms after spawning it',
    async (ms) => {
      const host = `
      const options = { serialization: 'advanced', stdio: ['ignore', 'inherit', 'inherit', 'ipc'], execArgv: [] };
      require('node:child_process').fork(${JSON.stringify(built.script)}, [], options);
      setTimeout(() => process.kill(process.pid, 'SIGKILL'), ${String(ms)});`;
      const child = spawn(process.execPath, ['-e', host], { stdio: ['ignore', 'pipe', 'pipe'] });
      // Resolves when the trainer as well has closed what it inherited. Until then it must be read, or it could not end.
      child.stderr.resume();
      child.stdout.resume();
      expect(await once(child, 'close')).toEqual([null, 'SIGKILL']);
    },
  );

  it('tells clients why there can be no run', async () => {
    const folder = path.join(mnist.folder, 'nowhere');
    const lost = new TrainerProcess(built.script, { config: null, dataFolder: folder });
    const client = lost.client();
    client.send({ type: 'hello', protocol: 1 });
    expect(await client.closing()).toBe('bad-dataset');
    expect(client.last('goodbye')?.message).toContain(folder);
    expect(await lost.end()).toBe(0);
  });
});

describe('a run', () => {
  it('stands at step 0 until it is told to go, and counts what it does', async () => {
    const client = await begin();
    expect(status(client)).toMatchObject({
      state: 'paused',
      step: 0,
      epoch: 1,
      stepsPerEpoch: 4,
      phase: null,
    });
    for (let i = 0; i < 3; i += 1) await client.request('stepBatch', {});
    expect(status(client)).toMatchObject({ state: 'paused', step: 3, phase: 'step' });
    await client.request('stepEpoch', {});
    expect(status(client)).toMatchObject({ state: 'paused', step: 4, stepInEpoch: 4 });
    expect(client.all('metrics').reduce((steps, { count }) => steps + count, 0)).toBe(4);
  });

  it('is tested on every test image at the end of an epoch, and finishes when its epochs are over', async () => {
    const client = await begin({ epochs: 2, stopAtStep: null });
    await client.request('play', {});
    await client.next('status', ({ state }) => state === 'finished');
    const evaluations = client.all('evaluation');
    expect(evaluations.map(({ epoch, step, examples }) => [epoch, step, examples])).toEqual([
      [0, 0, TEST_EXAMPLES],
      [1, 4, TEST_EXAMPLES],
      [2, 8, TEST_EXAMPLES],
    ]);
    expect(evaluations[2]?.runningAccuracy).toBeGreaterThan(0);
    expect(evaluations[2]?.imagesPerSecond).toBeGreaterThan(0);
    expect((await client.request('play', {})).reply.error?.code).toBe('not-now');

    await client.request('continue', { epochs: 1 });
    await client.request('play', {});
    await client.next('status', ({ state, step }) => state === 'finished' && step === 12);
    expect(client.last('evaluation')).toMatchObject({ epoch: 3, step: 12 });
  });

  it('shows a NaN put into a weight: in the picture, in the loss, and where it was met', async () => {
    for (const engine of ['wasm', 'cpu'] as const) {
      const client = await begin({ engine });
      client.send({ type: 'watch', items: [WEIGHT] });
      client.send({ type: 'credit', count: 2 });
      await client.request('setWeight', { name: 'conv1.weight', index: 7, value: 'NaN' });
      await client.next('frame', ({ slots }) => slots[0]?.nan === 1);
      await client.request('stepBatch', {});
      expect(client.last('nonFinite')).toMatchObject({
        step: 1,
        phase: 'forward',
        tensor: 'conv1.weight',
        nan: 1,
      });
      const loss = client.heard.findLast(({ message }) => message.type === 'metrics')?.payload;
      expect(new Float32Array(loss?.slice().buffer ?? new ArrayBuffer(4))[0]).toBeNaN();
      client.close();
    }
  });
});

describe('the first NaN or infinity', () => {
  it.each(['wasm', 'cpu'] as const)(
    'is said at the layer that it arises in, stepping and running, on %s',
    async (engine) => {
      const client = await begin({ engine });
      await client.request('setWeight', { name: 'conv1.bias', index: 3, value: '-Infinity' });
      const place = { step: 1, phase: 'forward', layer: 'conv1', tensor: 'conv1.bias', nan: 0, infinite: 1 };
      await client.request('stepPhase', {});
      expect(client.last('nonFinite')).toBeUndefined();
      await client.request('stepLayer', {});
      expect(client.last('nonFinite')).toMatchObject(place);
      expect(status(client).nonFinite).toMatchObject(place);

      const again = await begin({ engine });
      await again.request('setWeight', { name: 'conv1.bias', index: 3, value: '-Infinity' });
      await again.request('stepBatch', {});
      expect(again.last('nonFinite')).toMatchObject(place);
    },
  );

  it('is forgotten when sound weights are opened, and the next is said; who comes late hears both', async () => {
    const client = await begin();
    const sound = (await client.request('saveWeights', {})).payload;
    await client.request('setWeight', { name: 'conv1.bias', index: 3, value: '-Infinity' });
    await client.request('stepBatch', {});
    await client.request('loadWeights', { fileName: 'sound.safetensors' }, sound);
    expect(status(client).nonFinite).toBeNull();
    await client.request('stepBatch', {});
    expect(status(client).nonFinite).toBeNull();
    await client.request('setWeight', { name: 'fc2.bias', index: 0, value: 'NaN' });
    await client.request('stepBatch', {});
    const said = client.all('nonFinite').map(({ step, tensor }) => [step, tensor]);
    expect(said).toEqual([
      [1, 'conv1.bias'],
      [3, 'fc2.bias'],
    ]);
    const late = await trainer.connect();
    await late.request('saveWeights', {});
    expect(late.all('nonFinite').map(({ step, tensor }) => [step, tensor])).toEqual(said);
  });
});

describe('pause', () => {
  it('means that nothing moves any more, not one step', async () => {
    const client = await begin();
    await client.request('play', {});
    await client.next('metrics', ({ firstStep, count }) => firstStep + count > 5);
    await client.request('pause', {});
    const { step, state } = status(client);
    expect(state).toBe('paused');
    const before = await sha(client);
    for (let i = 0; i < 20; i += 1)
      await client.request('readTensor', { name: 'conv1.weight', kind: 'weight' });
    const metrics = client.last('metrics');
    expect((metrics?.firstStep ?? 0) + (metrics?.count ?? 0) - 1).toBe(step);
    expect([status(client).step, await sha(client)]).toEqual([step, before]);
  });

  it('inside a minibatch goes back to its start and leaves no gradient of it behind', async () => {
    // So slow that the pause arrives while the backward pass is under way.
    const client = await begin({ engine: 'cpu' });
    await client.request('stepBatch', {});
    const read = async (kind: 'gradient' | 'update'): Promise<unknown> => {
      const { reply, payload } = await client.request('readTensor', { name: 'fc2.weight', kind });
      return [reply.result, Buffer.from(payload).toString('base64')];
    };
    const before = [await read('gradient'), await read('update')];
    for (let i = 0; i < 3; i += 1) await client.request('stepPhase', {});
    expect(status(client)).toMatchObject({ step: 1, phase: 'loss', state: 'paused' });
    expect(await read('gradient')).not.toEqual(before[0]);
    const heard = client.heard.length;
    client.ask('play', {});
    await client.next('status', ({ state }) => state === 'running', heard);
    await client.request('pause', {});
    expect(status(client)).toMatchObject({ step: 1, phase: 'step', state: 'paused' });
    expect([await read('gradient'), await read('update')]).toEqual(before);
  });

  it('stops a test as well, which then goes on where it was', async () => {
    const client = await begin({ epochs: 1, stopAtStep: null });
    await client.request('stepBatch', {});
    await client.request('play', {});
    client.ask('pause', {});
    await client.request('play', {});
    await client.next('status', ({ state }) => state === 'finished');
    expect(client.last('evaluation')).toMatchObject({ epoch: 1, step: 4, examples: TEST_EXAMPLES });
  });
});

describe('the same seed', () => {
  it('gives the same weights in both loops, run freely, stepped, paused and switched; another gives others', async () => {
    const free = await shaOfFreeRun(8);
    expect(await shaOfFreeRun(8, { mode: 'fit' })).toBe(free);
    expect(await shaOfFreeRun(8, { seed: 2 })).not.toBe(free);

    for (const mode of ['imperative', 'fit'] satisfies Mode[]) {
      const client = await begin({ mode, stopAtStep: 8 });
      await client.request('stepBatch', {});
      for (let i = 0; i < 8; i += 1) await client.request('stepPhase', {});
      await client.request('setMode', { mode: mode === 'fit' ? 'imperative' : 'fit' });
      // Standing inside a minibatch: it is finished in the old loop.
      expect(status(client).mode).toBe(mode);
      await client.request('stepBatch', {});
      expect(status(client)).toMatchObject({ step: 3 });
      while (status(client).state !== 'finished') {
        client.ask('play', {});
        await client.request('pause', {});
        await client.request('stepPhase', {});
        await client.request('setMode', { mode: status(client).step % 2 === 0 ? 'fit' : 'imperative' });
        await client.request('stepBatch', {});
      }
      expect(status(client).step).toBe(8);
      expect(await sha(client)).toBe(free);
      client.close();
    }
  });

  it('is proved by the trainer itself', async () => {
    await shaOfFreeRun(2, { seed: 77 });
    const client = await begin({ seed: 77, mode: 'fit' });
    await client.request('stepBatch', {});
    expect(status(client).proof).toMatchObject({ mode: 'imperative', step: 0, same: true });
    await client.request('stepBatch', {});
    expect(status(client)).toMatchObject({
      mode: 'fit',
      weightsSha256: { step: 2 },
      proof: { mode: 'imperative', step: 2, same: true },
    });
    await client.request('setWeight', { name: 'fc2.bias', index: 0, value: 1 });
    expect(status(client).proof).toBeNull();
  });
});

describe('a refused restart', () => {
  const order = [[0, 1, TRAIN_EXAMPLES]];
  it.each<[string, Partial<RunConfig>, Uint8Array | null]>([
    ['unknown-recipe', { recipe: 'nobodys' }, null],
    ['bad-order', { order }, null],
    ['bad-weights', {}, Uint8Array.of(1, 2, 3)],
  ])('%s leaves the run as it was, inside a minibatch too', async (code, changes, weights) => {
    const client = await begin();
    await client.request('stepBatch', {});
    await client.request('stepPhase', {});
    await client.request('stepPhase', {});
    const before = [status(client), await sha(client)];
    const config = { ...CONFIG, ...changes };
    const weightsFile = weights === null ? null : 'w.safetensors';
    const { reply } = await client.request('restart', { config, weightsFile }, weights ?? undefined);
    expect(reply.error?.code).toBe(code);
    expect([status(client), await sha(client)]).toEqual(before);
    await client.request('stepPhase', {});
    expect(status(client)).toMatchObject({ step: 1, phase: 'loss' });
  });
});

describe('weights', () => {
  it('go out and come back in, in a run of its own or into this one, and not inside a minibatch', async () => {
    const client = await begin();
    await client.request('stepBatch', {});
    const { reply, payload } = await client.request('saveWeights', {});
    const saved = reply.result['weightsSha256'];
    expect(status(client).weightsSha256).toEqual({ step: 1, value: saved });
    await client.request('stepBatch', {});
    await client.request('loadWeights', { fileName: 'w.safetensors' }, payload);
    expect(status(client)).toMatchObject({ step: 2, weightsSha256: { value: saved } });
    await client.request('restart', { config: CONFIG, weightsFile: 'w.safetensors' }, payload);
    expect([status(client).step, await sha(client)]).toEqual([0, saved]);

    await client.request('stepPhase', {});
    const inside = await client.request('loadWeights', { fileName: 'w.safetensors' }, payload);
    expect(inside.reply.error?.code).toBe('not-now');
    await client.request('stepBatch', {});
    const truncated = await client.request(
      'loadWeights',
      { fileName: 'w.safetensors' },
      payload.slice(0, -4),
    );
    expect(truncated.reply.error?.code).toBe('bad-weights');
  });

  // Catches: a run that is rewritten without a word, or goes on claiming that another run had the same weights.
  it('that are replaced are told to every client, and prove nothing any more', async () => {
    await shaOfFreeRun(2, { seed: 78 });
    const client = await begin({ seed: 78 });
    await client.request('stepBatch', {});
    await client.request('stepBatch', {});
    expect(status(client).proof).toMatchObject({ step: 2, same: true });
    const { payload } = await client.request('saveWeights', {});
    expect(client.last('weightsReplaced')).toBeUndefined();
    await client.request('loadWeights', { fileName: 'w.safetensors' }, payload);
    const told = { step: 2, source: 'file', name: 'w.safetensors' };
    expect(client.last('weightsReplaced')).toMatchObject(told);
    // The same bytes, but not the same optimiser.
    expect(status(client).proof).toBeNull();
    await client.request('stepBatch', {});
    expect(status(client).proof).toBeNull();
    const late = await trainer.connect();
    await late.request('setBreakpoints', { breakpoints: [] });
    expect(late.last('weightsReplaced')).toMatchObject(told);
    late.close();
    await client.request('setWeight', { name: 'fc2.bias', index: 0, value: 1 });
    expect(client.last('weightsReplaced')).toMatchObject({ step: 3, source: 'value', name: 'fc2.bias' });
  });
});

describe('pictures', () => {
  it('are of one step, fresh for the page that draws and few for the one that does not', async () => {
    const drawing = await begin();
    const lazy = await trainer.connect();
    lazy.draws = false;
    for (const client of [drawing, lazy]) {
      client.send({ type: 'watch', items: [WEIGHT, GRADIENT, PROBABILITIES] });
      client.send({ type: 'credit', count: 2 });
    }
    await drawing.request('play', {});
    await drawing.next('frame', ({ step }) => step >= 12);
    await drawing.request('pause', {});
    const { step } = status(drawing);
    await drawing.next('frame', (frame) => frame.step === step && frame.slots[2]?.freshness === 'fresh');
    for (const frame of drawing.all('frame').filter((frame) => frame.step > 0)) {
      expect(frame.slots[0]).toMatchObject({ freshness: 'fresh', step: frame.step });
      expect(frame.slots[1]).toMatchObject({ freshness: 'fresh', step: frame.step, phase: 'backward' });
    }
    expect(lazy.all('frame').length).toBeLessThanOrEqual(2);
    lazy.send({ type: 'credit', count: 1 });
    const last = await lazy.next('frame', (frame) => frame.step === step);
    expect(last.skipped).toBeGreaterThan(0);
  });

  it('follow a change of what is looked at, and of the digit', async () => {
    const client = await begin();
    client.send({ type: 'credit', count: 2 });
    client.send({ type: 'watch', items: [WEIGHT] });
    const first = await client.next('frame');
    client.send({ type: 'watch', items: [{ name: 'input', kind: 'digitOutput', maxValues: 784 }] });
    const second = await client.next('frame', ({ layoutId }) => layoutId > first.layoutId);
    const { reply, payload } = await client.request('chooseDigit', { testIndex: 5 });
    expect(reply.result).toMatchObject({ testIndex: 5, height: 28, width: 28 });
    expect(payload).toHaveLength(784);
    await client.next('frame', ({ layoutId }) => layoutId === second.layoutId);
    const unknown = await client.request('chooseDigit', { testIndex: TEST_EXAMPLES });
    expect(unknown.reply.error?.code).toBe('unknown-image');
    expect((await trainer.connect()).last('ready')?.digit.testIndex).toBe(5);
  });

  it('show each phase as it is stepped: cleared, then fresh layer by layer, then the update', async () => {
    const client = await begin();
    client.send({ type: 'watch', items: [GRADIENT, { ...GRADIENT, kind: 'update' }] });
    client.send({ type: 'credit', count: 2 });
    const seen: unknown[] = [];
    for (let i = 0; i < 5; i += 1) {
      await client.request('stepPhase', {});
      const { phase, step } = status(client);
      const frame = await client.next('frame', (frame) => frame.phase === phase && frame.step === step);
      seen.push([phase, ...frame.slots.map(({ freshness }) => freshness)]);
    }
    expect(seen).toEqual([
      ['zeroGrad', 'cleared', 'notYet'],
      ['forward', 'cleared', 'notYet'],
      ['loss', 'cleared', 'notYet'],
      ['backward', 'fresh', 'notYet'],
      ['step', 'fresh', 'fresh'],
    ]);
  });

  it('hold the next step back until the last one is drawn, but not for a hidden page', async () => {
    const client = await begin();
    client.draws = false;
    client.send({ type: 'watch', items: [WEIGHT] });
    client.send({ type: 'credit', count: 2 });
    await client.next('frame');
    client.send({ type: 'credit', count: 1 });
    await client.request('stepBatch', {});
    const waiting = client.request('stepBatch', {});
    await client.request('readTensor', { name: 'conv1.weight', kind: 'weight' });
    expect(status(client).step).toBe(1);
    client.send({ type: 'visibility', visible: false });
    await waiting;
    expect(status(client).step).toBe(2);
  });
});

describe('several clients', () => {
  it('see the same run, and one that misbehaves is sent away alone', async () => {
    const first = await begin();
    await first.request('stepBatch', {});
    const second = await trainer.connect();
    await second.next('status');
    expect(status(second)).toMatchObject({ step: 1 });
    expect(second.all('metrics')).toMatchObject([{ firstStep: 1, count: 1 }]);
    second.sendRaw({ type: 'watch', items: 'everything' });
    expect(await second.closing()).toBe('malformed-message');
    await first.request('stepBatch', {});
    expect(status(first)).toMatchObject({ state: 'paused', step: 2 });
  });
});
