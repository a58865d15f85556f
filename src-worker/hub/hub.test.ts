import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RECIPES, recipeNamed } from '../../src-shared/model/recipe';
import { DEFAULT_RUN_CONFIG } from '../../src-shared/model/run-config';
import { decodeTrainerMessage, encodeMessage, type Received } from '../../src-shared/protocol/decode';
import { encodeEnvelope } from '../../src-shared/protocol/envelope';
import type { Status, TrainerMessage } from '../../src-shared/protocol/messages';
import type { Port, WireMessage } from '../../src-shared/protocol/port';
import { memoryPortPair } from '../../src-shared/testing/memory-port';
import { HUB, type ThreadCommand, type ThreadMessage } from '../training/thread-messages';
import { Hub, type ThreadEvents } from './hub';

/** Stands in for the thread's end of the mailbox; what it says is said by the test. */
class Bench {
  readonly commands: ThreadCommand[] = [];
  readonly hub: Hub;
  spawned: number[] = [];
  say: (message: ThreadMessage) => void = () => undefined;
  die: (why: string) => void = () => undefined;

  constructor() {
    this.hub = new Hub({
      config: DEFAULT_RUN_CONFIG,
      version: '1.2.3',
      wallClock: () => 1_700_000_000_000,
      spawnThread: (firstRunId, events) => {
        this.spawned.push(firstRunId);
        this.listen(events);
        return {
          post: (command) => this.commands.push(command),
          close: () => Promise.resolve(),
        };
      },
    });
  }

  requests(method: string): Extract<ThreadCommand, { type: 'request' }>[] {
    return this.commands.filter(
      (command): command is Extract<ThreadCommand, { type: 'request' }> =>
        command.type === 'request' && command.method === method,
    );
  }

  begin(runId = 1): void {
    this.say({ type: 'run', run: { ...RUN, runId } });
    this.say({ ...STATUS, runId });
  }

  page(): Page {
    const [near, far] = memoryPortPair();
    this.hub.addClient(far);
    return new Page(near);
  }

  private listen(events: ThreadEvents): void {
    this.say = (message) => {
      events.message(message);
    };
    this.die = (why) => {
      events.died(why);
    };
  }
}

class Page {
  readonly port: Port;
  readonly heard: Received<TrainerMessage>[] = [];
  closed: string | undefined;

  constructor(port: Port) {
    this.port = port;
    port.onMessage((raw) => this.heard.push(decodeTrainerMessage(raw)));
    port.onClose(({ code }) => (this.closed = code));
  }

  async send(message: WireMessage): Promise<void> {
    this.port.send(message);
    await settled();
  }

  async hello(): Promise<this> {
    await this.send({ type: 'hello', protocol: 1 });
    return this;
  }

  get types(): string[] {
    return this.heard.map(({ message }) => message.type);
  }

  all<T extends TrainerMessage['type']>(type: T): Extract<TrainerMessage, { type: T }>[] {
    return this.heard
      .map(({ message }) => message)
      .filter((message): message is Extract<TrainerMessage, { type: T }> => message.type === type);
  }
}

const asks = (id: number, method: string): WireMessage => ({ type: 'request', id, method, params: {} });

const clientOf = (command: ThreadCommand): number => ('client' in command ? command.client : Number.NaN);

const layoutOf = (length: number): Extract<TrainerMessage, { type: 'layout' }> => ({
  type: 'layout',
  layoutId: 1,
  slots: [
    {
      name: 'conv1.weight',
      kind: 'weight',
      shape: [length],
      sentShape: [length],
      block: null,
      offset: 0,
      length,
    },
  ],
});

/** Everything that memory ports deliver with microtasks has arrived. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const RUN: Extract<ThreadMessage, { type: 'run' }>['run'] = {
  runId: 1,
  engine: { name: 'wasm', variant: 'SIMD', versions: {}, chosenBecause: 'asked for' },
  engines: ['wasm', 'cpu'],
  engineTable: [],
  dataset: {
    name: 'MNIST',
    trainExamples: 4,
    testExamples: 2,
    height: 1,
    width: 1,
    classes: 10,
    samples: [],
  },
  recipes: [...RECIPES],
  config: DEFAULT_RUN_CONFIG,
  network: recipeNamed('pytorch-paper').network,
  metricColumns: ['loss', 'runningLoss'],
  digit: { testIndex: 0, label: 7, assumedLabel: null, pixels: 'AA==' },
};

const STATUS: Status = {
  type: 'status',
  runId: 1,
  state: 'running',
  step: 0,
  epoch: 1,
  epochs: 3,
  stepInEpoch: 0,
  stepsPerEpoch: 938,
  phase: null,
  layer: null,
  mode: 'imperative',
  breakpoints: [],
  stoppedAt: null,
  stepsPerSecondLimit: null,
  stepsPerSecond: 10,
  imagesPerSecond: 640,
  threads: null,
  fitTime: null,
  phaseShares: null,
  minibatch: null,
  weightsSha256: null,
  proof: null,
  testing: null,
  failure: null,
};

const evaluation = (step: number): ThreadMessage => ({
  type: 'evaluation',
  runId: 1,
  step,
  epoch: null,
  loss: 'NaN',
  accuracy: 0.1,
  examples: 1000,
  runningLoss: null,
  runningAccuracy: null,
  imagesPerSecond: null,
});

describe('a client that comes', () => {
  it('hears ready first, then all that the run has said so far, then its status', async () => {
    const bench = new Bench();
    bench.begin();
    bench.say({ type: 'metrics', firstStep: 1, rows: Float32Array.of(1, 10, 2, 20) });
    bench.say(evaluation(2));
    bench.say({ type: 'metrics', firstStep: 3, rows: Float32Array.of(3, 30) });
    const page = await bench.page().hello();
    expect(page.types).toEqual(['ready', 'metrics', 'evaluation', 'status']);
    const metrics = page.heard[1]!;
    expect(metrics.message).toMatchObject({ firstStep: 1, count: 3 });
    expect([...new Float32Array(metrics.payload.slice().buffer)]).toEqual([1, 2, 3, 10, 20, 30]);
    expect(page.all('ready')[0]).toMatchObject({ protocol: 1, trainer: { version: '1.2.3' } });
  });

  it('waits for the first run when it comes before there is one', async () => {
    const bench = new Bench();
    const page = await bench.page().hello();
    expect(page.types).toEqual([]);
    bench.begin();
    await settled();
    expect(page.types).toEqual(['ready', 'status']);
    expect(bench.commands.map(({ type }) => type)).toEqual(['request', 'connect']);
  });

  it('is told why when there can be no run, now and later', async () => {
    const bench = new Bench();
    const early = await bench.page().hello();
    const failure = { code: 'bad-dataset', message: 'x: expected an IDX file, found none.' } as const;
    bench.say({ type: 'reply', client: -1, id: 0, error: failure, result: {}, payload: null });
    await settled();
    const late = await bench.page().hello();
    for (const page of [early, late]) {
      expect(page.all('goodbye')).toEqual([{ type: 'goodbye', ...failure }]);
      expect(page.closed).toBe('bad-dataset');
    }
  });

  // Catches: a page that comes later being told of an engine that the run has left.
  it('hears of another engine, whenever it came', async () => {
    const bench = new Bench();
    bench.begin();
    const early = await bench.page().hello();
    const engine = { ...RUN.engine, name: 'cpu' };
    const engineTable = [{ name: 'cpu', variant: 'plain', imagesPerSecond: 300, reason: null }];
    bench.say({ type: 'engine', engine, engineTable, choice: 'cpu' });
    const late = await bench.page().hello();
    await settled();
    expect(early.all('engine')).toEqual([{ type: 'engine', runId: 1, engine, engineTable, choice: 'cpu' }]);
    expect(late.all('ready')[0]).toMatchObject({ engine, engineTable, config: { engine: 'cpu' } });
  });

  it('gets the last chosen digit and hears of a new run with a new ready', async () => {
    const bench = new Bench();
    bench.begin();
    bench.say({ type: 'digit', digit: { testIndex: 1, label: 2, assumedLabel: null, pixels: 'AQ==' } });
    const page = await bench.page().hello();
    bench.begin(2);
    await settled();
    expect(page.types).toEqual(['ready', 'status', 'ready', 'status']);
    expect(page.all('ready').map(({ runId, digit }) => [runId, digit.testIndex])).toEqual([
      [1, 1],
      [2, 0],
    ]);
  });
});

describe('the lossless lane', () => {
  it('reaches every client whole and in order, whenever it came', async () => {
    const bench = new Bench();
    bench.begin();
    const pages = [await bench.page().hello()];
    for (let step = 1; step <= 3000; step += 1) {
      bench.say({ type: 'metrics', firstStep: step, rows: Float32Array.of(step, -step) });
      if (step % 1000 === 500) pages.push(await bench.page().hello());
    }
    await settled();
    for (const page of pages) {
      const losses: number[] = [];
      for (const { message, payload } of page.heard) {
        if (message.type !== 'metrics') continue;
        expect(message.firstStep).toBe(losses.length + 1);
        losses.push(...new Float32Array(payload.slice().buffer).subarray(0, message.count));
      }
      expect(losses).toEqual(Array.from({ length: 3000 }, (_, i) => i + 1));
    }
  });

  // Catches: a run of a day that no page can be shown any more, as what it has said is more than a connection takes.
  it('a page that comes late in a long run has steps of long ago as means, and no more than so much', async () => {
    const bench = new Bench();
    bench.begin();
    const steps = 400_000;
    const rows = Float32Array.from({ length: 2 * steps }, (_, index) => Math.floor(index / 2) + 1);
    bench.say({ type: 'metrics', firstStep: 1, rows });
    const page = await bench.page().hello();
    const [means, recent] = page.heard.filter(({ message }) => message.type === 'metrics');
    if (means?.message.type !== 'metrics' || recent?.message.type !== 'metrics')
      throw new Error('no metrics');
    expect(means.message).toMatchObject({ firstStep: 1 });
    expect(means.message.stride).toBeGreaterThan(1);
    expect(recent.message).toMatchObject({
      stride: 1,
      firstStep: means.message.count * means.message.stride + 1,
    });
    expect(recent.message.firstStep + recent.message.count - 1).toBe(steps);
    expect(means.message.count + recent.message.count).toBeLessThan(100_000);
    expect(new Float32Array(means.payload.slice().buffer)[0]).toBe((1 + means.message.stride) / 2);
  });
});

describe('a client that does not keep to the protocol', () => {
  const goodbyeOf = async (...messages: WireMessage[]): Promise<string | undefined> => {
    const bench = new Bench();
    bench.begin();
    const good = await bench.page().hello();
    const bad = bench.page();
    for (const message of messages) await bad.send(message);
    expect(bad.closed).toBe(bad.all('goodbye')[0]?.code);
    bench.say(evaluation(1));
    await settled();
    expect(good.types.at(-1)).toBe('evaluation');
    return bad.closed;
  };
  const hello = { type: 'hello', protocol: 1 };

  it.each<[string, string, WireMessage[]]>([
    ['another protocol', 'wrong-protocol', [{ type: 'hello', protocol: 2 }]],
    ['no hello', 'malformed-message', [{ type: 'watch', items: [] }]],
    ['two hellos', 'malformed-message', [hello, hello]],
    ['an unknown type', 'malformed-message', [hello, { type: 'dance' }]],
    ['a field too many', 'malformed-message', [hello, { type: 'credit', count: 1, extra: 1 }]],
    ['more credits than there are', 'malformed-message', [hello, { type: 'credit', count: 3 }]],
    ['bytes that are no envelope', 'malformed-message', [hello, Uint8Array.of(1, 2, 3)]],
    [
      'an envelope cut short',
      'malformed-message',
      [hello, encodeEnvelope(hello, new Uint8Array(8)).slice(0, 12)],
    ],
    ['more bytes than allowed', 'message-too-large', [hello, new Uint8Array(64 * 1024 * 1024 + 1)]],
    ['more text than allowed', 'message-too-large', [hello, ' '.repeat(8 * 1024 * 1024 + 1)]],
    ['more than hello needs', 'message-too-large', [JSON.stringify(hello) + ' '.repeat(64 * 1024)]],
    [
      'one id twice, for a request that is known',
      'malformed-message',
      [hello, asks(3, 'saveWeights'), asks(3, 'play')],
    ],
    [
      'one id twice, for a request that there is not',
      'malformed-message',
      [hello, asks(3, 'saveWeights'), asks(3, 'dance')],
    ],
    [
      'one tensor twice',
      'malformed-message',
      [
        hello,
        {
          type: 'watch',
          items: [
            { name: 'conv1.weight', kind: 'weight', maxValues: 10 },
            { name: 'conv1.weight', kind: 'weight', maxValues: 20 },
          ],
        },
      ],
    ],
  ])('%s: is sent away with a code, and nobody else notices', async (_what, code, messages) => {
    expect(await goodbyeOf(...messages)).toBe(code);
  });

  // Catches: a second request under an id that was given up for good after its first reply.
  it('may use the id of a request again that was answered', async () => {
    const bench = new Bench();
    bench.begin();
    const page = await bench.page().hello();
    for (const method of ['dance', 'dance', 'saveWeights']) await page.send(asks(3, method));
    const [client] = bench.requests('saveWeights').map((command) => command.client);
    bench.say({ type: 'reply', client: client ?? 0, id: 3, error: null, result: {}, payload: null });
    await page.send(asks(3, 'play'));
    expect(bench.requests('play')).toHaveLength(1);
    expect(page.closed).toBeUndefined();
  });

  // Catches: memory for as many pages as somebody likes to open.
  it('is sent away where 64 are served already, and let in when one of them has gone', async () => {
    const bench = new Bench();
    bench.begin();
    const pages: Page[] = [];
    for (let i = 0; i < 64; i += 1) pages.push(await bench.page().hello());
    const late = await bench.page().hello();
    expect(late.all('goodbye')[0]?.code).toBe('too-many-clients');
    expect(pages.every(({ closed }) => closed === undefined)).toBe(true);
    pages[0]?.port.close();
    await settled();
    expect((await bench.page().hello()).types).toEqual(['ready', 'status']);
  });

  // Catches: frames as large as somebody likes to watch.
  it('is sent away when what it watches does not fit into a frame', async () => {
    const bench = new Bench();
    bench.begin();
    const [large, small] = [await bench.page().hello(), await bench.page().hello()];
    const [first = 0, second = 0] = bench.commands.filter(({ type }) => type === 'connect').map(clientOf);
    bench.say({ type: 'layout', client: first, layout: layoutOf(4 * 1024 * 1024 + 1) });
    bench.say({ type: 'layout', client: second, layout: layoutOf(4 * 1024 * 1024) });
    await settled();
    expect(large.all('goodbye')[0]).toMatchObject({
      code: 'message-too-large',
      message: 'A frame may have 4194304 values, but what is watched has 4194305.',
    });
    expect(small.all('layout')).toHaveLength(1);
  });

  it('never brings the hub down, whatever it sends', async () => {
    const bench = new Bench();
    bench.begin();
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.object().map((object) => object as WireMessage),
          fc.uint8Array({ maxLength: 64 }),
          fc
            .uint8Array({ maxLength: 64 })
            .map((payload) => encodeEnvelope({ type: 'watch', items: [] }, payload)),
        ),
        async (message) => {
          const page = await bench.page().hello();
          await page.send(message);
          page.port.close();
        },
      ),
    );
    expect((await bench.page().hello()).types).toEqual(['ready', 'status']);
  });
});

describe('a request', () => {
  const STEP_END = { phase: 'step', after: 'phase' };

  it('reaches the thread with its payload, and its answer the client that asked', async () => {
    const bench = new Bench();
    bench.begin();
    const [asking, other] = [await bench.page().hello(), await bench.page().hello()];
    const head = {
      type: 'request',
      id: 9,
      method: 'loadWeights',
      params: { fileName: 'w.safetensors' },
    } as const;
    await asking.send(encodeMessage(head, Uint8Array.of(1, 2, 3)));
    const command = bench.requests('loadWeights')[0]!;
    expect(command).toMatchObject({ id: 9, params: { fileName: 'w.safetensors' } });
    expect([...command.payload]).toEqual([1, 2, 3]);
    const { client } = command;
    bench.say({ type: 'reply', client, id: 9, error: null, result: {}, payload: Uint8Array.of(7) });
    await settled();
    const answer = asking.heard[asking.heard.length - 1]!;
    expect(answer).toMatchObject({ message: { type: 'reply', id: 9 } });
    expect([...answer.payload]).toEqual([7]);
    expect(other.types).not.toContain('reply');
  });

  it.each([
    ['dance', {}, 'unknown-command'],
    ['setMode', { mode: 'jazz' }, 'malformed-message'],
    ['play', { fast: true }, 'malformed-message'],
    ['setBreakpoints', { breakpoints: [{ phase: 'loss', after: 'layer' }] }, 'malformed-message'],
    ['setBreakpoints', { breakpoints: [{ phase: 'lunch', after: 'phase' }] }, 'malformed-message'],
    ['setBreakpoints', { breakpoints: [STEP_END, STEP_END] }, 'malformed-message'],
    ['restart', { config: { ...DEFAULT_RUN_CONFIG, seed: -1 }, weightsFile: null }, 'bad-config'],
  ])('%s %j is refused with a code and never reaches the thread', async (method, params, code) => {
    const bench = new Bench();
    bench.begin();
    const page = await bench.page().hello();
    await page.send({ type: 'request', id: 4, method, params });
    expect(page.all('reply')).toMatchObject([{ id: 4, error: { code } }]);
    expect(page.closed).toBeUndefined();
    expect(bench.requests(method)).toHaveLength(method === 'restart' ? 1 : 0);
  });
});

describe('a client that goes', () => {
  // Catches: pages that came before the first run, and that the thread keeps for ever.
  it('is forgotten by the thread when it went before there was a run', async () => {
    const bench = new Bench();
    const page = await bench.page().hello();
    page.port.close();
    await settled();
    expect(bench.commands.filter(({ type }) => type === 'disconnect').map(clientOf)).toEqual([1]);
  });

  it('is forgotten by the thread', async () => {
    const bench = new Bench();
    bench.begin();
    const page = await bench.page().hello();
    page.port.close();
    await settled();
    expect(bench.commands.at(-1)).toEqual({ type: 'disconnect', client: 1 });
  });
});

describe('a thread that dies', () => {
  it('is named, answers what was asked of it with an error, and is replaced at a restart', async () => {
    const bench = new Bench();
    bench.begin();
    const page = await bench.page().hello();
    await page.send({ type: 'watch', items: [{ name: 'conv1.weight', kind: 'weight', maxValues: 250 }] });
    await page.send({ type: 'credit', count: 2 });
    await page.send({ type: 'request', id: 1, method: 'stepEpoch', params: {} });
    bench.say({ ...STATUS, state: 'paused', stoppedAt: { phase: 'step', after: 'phase' } });
    bench.die('out of memory.');
    await settled();
    expect(page.all('reply')).toMatchObject([{ id: 1, error: { code: 'worker-died' } }]);
    expect(page.all('status').at(-1)).toMatchObject({
      state: 'failed',
      stoppedAt: null,
      failure: { code: 'worker-died' },
    });

    await page.send({ type: 'request', id: 2, method: 'play', params: {} });
    expect(page.all('reply').at(-1)).toMatchObject({ id: 2, error: { code: 'worker-died' } });

    bench.commands.length = 0;
    await page.send({
      type: 'request',
      id: 3,
      method: 'restart',
      params: { config: DEFAULT_RUN_CONFIG, weightsFile: null },
    });
    expect(bench.spawned).toEqual([1, 2]);
    expect(bench.commands.map(({ type }) => type)).toEqual([
      'connect',
      'visibility',
      'credit',
      'watch',
      'request',
    ]);
  });

  it('is replaced by one that has the same breakpoints and the same limit of speed', async () => {
    const bench = new Bench();
    bench.begin();
    const page = await bench.page().hello();
    const breakpoints = [{ phase: 'step', after: 'phase' }] as const;
    bench.say({ ...STATUS, breakpoints: [...breakpoints], stepsPerSecondLimit: 4 });
    bench.die('out of memory.');
    const params = { config: DEFAULT_RUN_CONFIG, weightsFile: null };
    await page.send({ type: 'request', id: 1, method: 'restart', params });
    expect(bench.requests('setBreakpoints'), 'before there is a run').toEqual([]);
    bench.begin();
    expect(bench.requests('setBreakpoints')).toMatchObject([{ client: HUB, params: { breakpoints } }]);
    expect(bench.requests('setSpeed')).toMatchObject([{ client: HUB, params: { stepsPerSecond: 4 } }]);
    const { id } = bench.requests('setSpeed')[0]!;
    const error = { code: 'not-now', message: 'Not now.' } as const;
    bench.say({ type: 'reply', client: HUB, id, error, result: {}, payload: null });
    await settled();
    expect(page.closed, 'a refusal is not the end').toBeUndefined();
    bench.begin();
    expect(bench.requests('setSpeed'), 'told once').toHaveLength(1);
  });

  it('sends clients away with the reason when it never had a run', async () => {
    const bench = new Bench();
    const page = await bench.page().hello();
    bench.die('no memory.');
    await settled();
    expect(page.closed).toBe('worker-died');
  });
});

it('says goodbye to everybody when the trainer is closed', async () => {
  const bench = new Bench();
  bench.begin();
  const page = await bench.page().hello();
  await bench.hub.close();
  await settled();
  expect(page.all('goodbye')).toMatchObject([{ code: 'closed' }]);
});

describe('a client that sends anything', () => {
  // Catches: one message that ends the trainer, and with it everybody's run.
  it('is refused, and another goes on', async () => {
    const bench = new Bench();
    bench.begin();
    const healthy = await bench.page().hello();
    const order = [Array(200_000).fill(-1)];
    const rude = await bench.page().hello();
    await rude.send({
      type: 'request',
      id: 7,
      method: 'restart',
      params: { config: { ...DEFAULT_RUN_CONFIG, order }, weightsFile: null },
    });
    const refused = rude.all('reply')[0]?.error;
    expect(refused?.code).toBe('bad-order');
    expect(refused?.message).toMatch(/found -1; .* 199997 more/);
    await rude.send({ type: 'request', id: 8, method: 'x'.repeat(1e6), params: {} });
    expect(rude.all('reply')[1]?.error?.code).toBe('unknown-command');
    expect(rude.all('reply')[1]?.error?.message.length).toBeLessThan(501);
    for (const raw of ['['.repeat(4000), '{"a":'.repeat(2500), new Uint8Array(9), 'null']) {
      const other = bench.page();
      await other.send(raw);
      expect(other.all('goodbye')[0]?.code).toBe('malformed-message');
      expect(other.closed).toBe('malformed-message');
    }
    await healthy.send({ type: 'request', id: 1, method: 'play', params: {} });
    expect(bench.requests('play')).toHaveLength(1);
    expect(healthy.closed).toBeUndefined();
  });
});

describe('a client hears from the trainer at least once a second', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  // Catches: a page that cannot tell a trainer that stands from one that is stuck.
  it('the status again when there is nothing new, and none beside one that is new', async () => {
    const bench = new Bench();
    bench.begin();
    const page = await bench.page().hello();
    const { heartbeatMs } = page.all('ready')[0]!;
    expect(heartbeatMs).toBe(1000);
    const before = page.all('status').length;
    vi.advanceTimersByTime(10_000);
    await settled();
    const beats = page.all('status').slice(before);
    expect(beats.length).toBeGreaterThanOrEqual(10);
    expect(beats[0]).toEqual({ ...STATUS, runId: 1 });

    const heard = page.all('status').length;
    for (let quarter = 0; quarter < 40; quarter += 1) {
      vi.advanceTimersByTime(250);
      bench.say({ ...STATUS, runId: 1 });
    }
    await settled();
    expect(page.all('status').length - heard).toBe(40);
    await bench.hub.close();
  });

  it('without rates once they are old', async () => {
    const bench = new Bench();
    bench.begin();
    const page = await bench.page().hello();
    bench.say({ ...STATUS, runId: 1, state: 'running', stepsPerSecond: 20, imagesPerSecond: 1280 });
    vi.advanceTimersByTime(1000);
    await settled();
    expect(page.all('status').at(-1)).toMatchObject({ state: 'running', imagesPerSecond: 1280 });
    vi.advanceTimersByTime(2000);
    await settled();
    expect(page.all('status').at(-1)).toMatchObject({ stepsPerSecond: null, imagesPerSecond: null });
    await bench.hub.close();
  });
});

describe('weights that were replaced', () => {
  const replaced = (step: number, source: 'file' | 'value', name: string): ThreadMessage => ({
    type: 'weightsReplaced',
    runId: 1,
    step,
    source,
    name,
  });
  const test = (step: number): ThreadMessage => ({
    type: 'evaluation',
    runId: 1,
    step,
    epoch: null,
    loss: 2.3,
    accuracy: 0.1,
    examples: 2,
    runningLoss: null,
    runningAccuracy: null,
    imagesPerSecond: null,
  });

  // Catches: a page that comes later and takes a test of the weights before for one of those that are there.
  it('are told to a late client in their place among the tests', async () => {
    const bench = new Bench();
    bench.begin();
    bench.say(test(0));
    bench.say(replaced(0, 'file', 'mine.safetensors'));
    bench.say(replaced(0, 'value', 'conv1.weight'));
    bench.say(test(300));
    bench.say(replaced(300, 'value', 'conv1.weight'));
    bench.say(replaced(300, 'value', 'fc2.bias'));
    const page = await bench.page().hello();
    const told = page.heard
      .map(({ message }) => message)
      .filter(({ type }) => type === 'evaluation' || type === 'weightsReplaced');
    expect(told.map((message) => ('name' in message ? message.name : message.type))).toEqual([
      'evaluation',
      'mine.safetensors',
      'evaluation',
      'fc2.bias',
    ]);
  });

  // Catches: tests of a run without an end that are all kept, and sent to whoever comes.
  it('are kept beside the newest tests', async () => {
    const bench = new Bench();
    bench.begin();
    bench.say(replaced(0, 'value', 'conv1.weight'));
    for (let step = 0; step < 5000; step += 1) bench.say(test(step));
    const page = await bench.page().hello();
    const tests = page.all('evaluation');
    expect([tests.length, tests[0]?.step, tests.at(-1)?.step]).toEqual([4096, 904, 4999]);
    expect(page.all('weightsReplaced')).toHaveLength(1);
  });

  // Catches: a history that grows with every value that somebody sets.
  it('are kept once a step, and not without end', async () => {
    const bench = new Bench();
    bench.begin();
    for (let step = 0; step < 400; step += 1) {
      bench.say(replaced(step, 'value', 'conv1.weight'));
      bench.say(replaced(step, 'value', 'conv2.weight'));
    }
    expect((await bench.page().hello()).all('weightsReplaced')).toHaveLength(256);
  });
});
