import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LayerPlan, planNetwork, sizeOf } from '../../src-shared/model/network';
import { recipeNamed } from '../../src-shared/model/recipe';
import { DEFAULT_RUN_CONFIG, type Mode } from '../../src-shared/model/run-config';
import type { Status, TensorKind, WatchItem } from '../../src-shared/protocol/messages';
import { openDataset } from '../data/dataset';
import { request, runScript } from '../testing/scripted-trainer';
import { type SmallMnist, smallMnist } from '../testing/small-mnist';
import type { ThreadCommand, ThreadMessage, ThreadReply } from './thread-messages';

const EXAMPLES = 3;
const CONFIG = {
  ...DEFAULT_RUN_CONFIG,
  engine: 'cpu',
  // A minibatch of three, and one of two.
  order: [
    [0, 1, 2],
    [3, 4],
  ],
} as const;
const { layers } = planNetwork(recipeNamed(CONFIG.recipe).network);
/** zeroGrad, forward, loss, backward, step. */
const STOPS = 2 * layers.length + 3;

let mnist: SmallMnist;
beforeAll(() => {
  mnist = smallMnist(16, 10);
});
afterAll(() => {
  mnist.remove();
});

const restart = (mode: Mode): ThreadCommand =>
  request('restart', { config: { ...CONFIG, mode }, weightsFile: null });
const times = (count: number, command: () => ThreadCommand[]): ThreadCommand[] =>
  Array.from({ length: count }, command).flat();

const train = (...commands: ThreadCommand[]): Promise<ThreadMessage[]> => runScript(mnist.folder, commands);

const stopsOf = (said: readonly ThreadMessage[]): Status[] =>
  said.filter((message): message is Status => message.type === 'status' && message.state === 'paused');
const repliesOf = (said: readonly ThreadMessage[]): ThreadReply[] =>
  said.filter((message): message is ThreadReply => message.type === 'reply');
const framesOf = (said: readonly ThreadMessage[]): Extract<ThreadMessage, { type: 'frame' }>[] =>
  said.filter((message): message is Extract<ThreadMessage, { type: 'frame' }> => message.type === 'frame');

const names = (list: readonly LayerPlan[]): string[] => list.map(({ spec }) => spec.name);
const walkFrom = (step: number): [number, string | null, string | null][] => [
  [step, 'zeroGrad', null],
  ...names(layers).map((name): [number, string, string] => [step, 'forward', name]),
  [step, 'loss', null],
  ...names(layers.toReversed()).map((name): [number, string, string] => [step, 'backward', name]),
  [step + 1, 'step', null],
];

describe.each<Mode>(['imperative', 'fit'])('walking through the layers in the %s loop', (mode) => {
  it('stops once at each layer on the way to the loss and back, and comes to the weights of a free run', async () => {
    const free = await train(restart(mode), request('stepBatch'), request('stepBatch'));
    const walked = await train(restart(mode), ...times(2 * STOPS, () => [request('stepLayer')]));
    const places = stopsOf(walked).map(({ step, phase, layer }) => [step, phase, layer]);
    // Two statuses can tell of one place.
    const distinct = places.filter((place, at) => String(place) !== String(places[at - 1]));
    expect(distinct).toEqual([[0, null, null], ...walkFrom(0), ...walkFrom(1)]);
    expect(stopsOf(walked).at(-1)?.weightsSha256?.value).toMatch(/^[0-9a-f]{64}$/);
    expect(stopsOf(walked).at(-1)?.weightsSha256).toEqual(stopsOf(free).at(-1)?.weightsSha256);
  });

  // Catches: the loss of the step before, of the whole epoch, or one that stays when the step is done.
  it('is told the loss of the minibatch from the loss phase to the end of its step, and not outside', async () => {
    const walked = await train(restart(mode), ...times(STOPS, () => [request('stepLayer')]));
    const metrics = walked.find((message) => message.type === 'metrics');
    if (metrics?.type !== 'metrics') throw new Error('no metrics came');
    const seen = stopsOf(walked).map(({ phase, minibatch }) => [phase, minibatch?.loss ?? null] as const);
    const told = seen.filter(([phase]) => phase === 'loss' || phase === 'backward');
    expect(told).toHaveLength(1 + layers.length);
    // The metrics carry float32.
    for (const [, loss] of told) expect(Math.fround(Number(loss))).toBe(metrics.rows[0]);
    const others = seen.filter(([phase]) => phase !== 'loss' && phase !== 'backward');
    expect(others.map(([, loss]) => loss)).toEqual(others.map(() => null));
  });

  it('changes no weight while it stands, and goes on by phase and by minibatch from within', async () => {
    const walked = await train(
      restart(mode),
      ...times(layers.length + 4, () => [request('stepLayer'), request('saveWeights')]),
      request('stepPhase'),
      request('stepBatch'),
      request('stepLayer'),
      request('stepLayer'),
      request('stepPhase'),
      request('stepBatch'),
    );
    const shas = repliesOf(walked).flatMap(({ result }) => result['weightsSha256'] ?? []);
    expect(shas).toHaveLength(layers.length + 4);
    expect(new Set(shas).size).toBe(1);
    const stops = stopsOf(walked).map(({ step, phase, layer }) => [step, phase, layer]);
    const [last = ''] = names(layers.slice(-2, -1));
    expect(stops.slice(-7)).toEqual([
      [0, 'backward', last],
      [0, 'backward', null],
      [1, 'step', null],
      [1, 'zeroGrad', null],
      [1, 'forward', layers[0]?.spec.name],
      [1, 'forward', null],
      [2, 'step', null],
    ]);
    const free = await train(restart(mode), request('stepBatch'), request('stepBatch'));
    expect(stopsOf(walked).at(-1)?.weightsSha256).toEqual(stopsOf(free).at(-1)?.weightsSha256);
  });
});

describe('a page that looks at an example of the minibatch', () => {
  const items = layers.flatMap(({ spec }): WatchItem[] =>
    (spec.kind === 'dropout' ? (['output', 'error', 'mask'] as const) : (['output', 'error'] as const)).map(
      (kind) => ({ name: spec.name, kind, maxValues: 100_000 }),
    ),
  );
  const READ = { output: 'activation', error: 'error', mask: 'mask' } as const;
  const kindOf = (kind: TensorKind): 'activation' | 'error' | 'mask' => READ[kind as keyof typeof READ];
  const look: ThreadCommand[] = [
    { type: 'connect', client: 1 },
    { type: 'watch', client: 1, items },
    { type: 'credit', client: 1, count: 2 },
  ];
  const drawn: ThreadCommand = { type: 'credit', client: 1, count: 1 };

  it.each([0, 2])(
    'is sent exactly what readTensor reads of example %i, and not yet for the rest',
    async (example) => {
      const script = [...look, restart('imperative'), request('chooseExample', { example })];
      for (let stop = 0; stop < STOPS - 1; stop += 1) {
        script.push(request('stepLayer'), drawn);
        for (const { name, kind } of items) script.push(request('readTensor', { name, kind: kindOf(kind) }));
      }
      const said = await train(...script);
      const slots = said.find((message) => message.type === 'layout')?.layout.slots ?? [];
      expect(slots.map(({ name, kind }) => ({ name, kind, maxValues: 100_000 }))).toEqual(items);
      // The first picture is of the run before its first step, and holds nothing.
      const [before, ...frames] = framesOf(said);
      expect([before?.head.example, before?.payload.length]).toEqual([null, 0]);
      expect(frames).toHaveLength(STOPS - 1);
      const read = repliesOf(said).filter(
        ({ result, error }) => 'freshness' in result || error?.code === 'not-now',
      );
      expect(read).toHaveLength((STOPS - 1) * items.length);
      let computed = 0;
      frames.forEach(({ head, payload }, stop) => {
        expect(head.example).toBe(example);
        slots.forEach(({ offset, length, name, kind, shape }, at) => {
          const reply = read[stop * items.length + at];
          const place = `${name} ${kind} at ${head.phase ?? ''} ${head.layer ?? ''}`;
          const shown = payload.subarray(offset, offset + length);
          const isThere = reply?.payload instanceof Uint8Array;
          expect(head.slots[at]?.freshness, place).toBe(isThere ? 'fresh' : 'notYet');
          if (!isThere) {
            expect(
              shown.every((value) => value === 0),
              place,
            ).toBe(true);
            return;
          }
          computed += 1;
          const whole = new Float32Array(reply.payload.slice().buffer);
          const size = sizeOf(shape);
          expect(whole.length, place).toBe(EXAMPLES * size);
          const part = whole.subarray(example * size, (example + 1) * size);
          expect(
            Buffer.compare(Buffer.from(part.slice().buffer), Buffer.from(shown.slice().buffer)),
            place,
          ).toBe(0);
        });
      });
      expect(computed).toBeGreaterThan(layers.length * layers.length);
    },
  );

  // Catches: labels of another order than the images, of the whole set, or of the minibatch before.
  it('is told the label of each example, inside a step and after it', async () => {
    const { train: examples } = openDataset({ GRADSCOPE_DATA: mnist.folder });
    const order = [
      [4, 0, 2],
      [3, 1],
    ];
    const config = { ...CONFIG, order, mode: 'imperative' as const };
    const said = await train(
      request('restart', { config, weightsFile: null }),
      request('stepLayer'),
      request('stepBatch'),
      request('stepLayer'),
    );
    const told = stopsOf(said).flatMap(({ minibatch }) => minibatch ?? []);
    expect(told.map(({ indices }) => indices)).toEqual(expect.arrayContaining(order));
    for (const { indices, labels } of told)
      expect(labels).toEqual(indices.map((index) => examples.labels[index]));
  });

  it('sees the last example of a minibatch that has no such one, and may not ask for what is not there', async () => {
    const said = await train(
      ...look,
      restart('imperative'),
      request('chooseExample', { example: 2 }),
      request('stepBatch'),
      drawn,
      request('stepLayer'),
      drawn,
      request('chooseExample', { example: 2 }),
      request('chooseExample', { example: 0 }),
    );
    expect(framesOf(said).map(({ head }) => head.example)).toEqual([null, null, 1, 0]);
    expect(
      repliesOf(said)
        .map(({ error }) => error?.code ?? null)
        .slice(-3),
    ).toEqual([null, 'unknown-image', null]);
  });
});
