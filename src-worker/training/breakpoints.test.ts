import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { planNetwork } from '../../src-shared/model/network';
import { recipeNamed } from '../../src-shared/model/recipe';
import { DEFAULT_RUN_CONFIG, type EngineChoice, type Mode } from '../../src-shared/model/run-config';
import { GradscopeError } from '../../src-shared/protocol/errors';
import type { Breakpoint, Status } from '../../src-shared/protocol/messages';
import { openEngine, type OpenedEngine } from '../engine';
import { request, runScript } from '../testing/scripted-trainer';
import { type SmallMnist, smallMnist } from '../testing/small-mnist';
import type { ThreadCommand, ThreadMessage } from './thread-messages';

const CONFIG = {
  ...DEFAULT_RUN_CONFIG,
  engine: 'cpu',
  epochs: 2,
  order: [
    [0, 1, 2],
    [3, 4],
  ],
} as const;
const { layers } = planNetwork(recipeNamed(CONFIG.recipe).network);

const LOSS: Breakpoint = { phase: 'loss', after: 'phase' };
const STEP: Breakpoint = { phase: 'step', after: 'phase' };
const EACH_BACKWARD: Breakpoint = { phase: 'backward', after: 'layer' };

let mnist: SmallMnist;
beforeAll(() => {
  mnist = smallMnist(16, 10);
});
afterAll(() => {
  mnist.remove();
});

const restart = (mode: Mode): ThreadCommand =>
  request('restart', { config: { ...CONFIG, mode }, weightsFile: null });
const breakAt = (...breakpoints: Breakpoint[]): ThreadCommand => request('setBreakpoints', { breakpoints });
const plays = (count: number): ThreadCommand[] => Array.from({ length: count }, () => request('play'));
const train = (...commands: ThreadCommand[]): Promise<ThreadMessage[]> => runScript(mnist.folder, commands);

const statusesOf = (said: readonly ThreadMessage[]): Status[] =>
  said.filter((message): message is Status => message.type === 'status');
/** The places at which training came to stand because of a breakpoint. */
const stopsOf = (said: readonly ThreadMessage[]): string[] => {
  const places = statusesOf(said).map(({ stoppedAt, step, phase, layer }) =>
    stoppedAt === null ? null : `${String(step)} ${phase ?? ''} ${layer ?? 'end'}`,
  );
  return places.filter((place, at): place is string => place !== null && place !== places[at - 1]);
};

/** Of the weights at the end of the run, which plays through its two epochs. */
async function endOfUndisturbedRun(mode: Mode): Promise<Status['weightsSha256']> {
  const end = statusesOf(await train(restart(mode), request('play'))).at(-1);
  expect(end).toMatchObject({ state: 'finished', weightsSha256: { step: 4 } });
  return end?.weightsSha256 ?? null;
}

describe.each<Mode>(['imperative', 'fit'])('breakpoints in the %s loop', (mode) => {
  it('hold play after the loss of every minibatch and leave the weights of a run without them', async () => {
    const said = await train(restart(mode), breakAt(LOSS), ...plays(5));
    expect(stopsOf(said)).toEqual(['0 loss end', '1 loss end', '2 loss end', '3 loss end']);
    expect(statusesOf(said).at(-1)).toMatchObject({ state: 'finished', step: 4, stoppedAt: null });
    expect(statusesOf(said).at(-1)?.weightsSha256).toEqual(await endOfUndisturbedRun(mode));
  });

  it('hold play at each layer of backward, from the last to the first, then at the next step', async () => {
    const said = await train(restart(mode), breakAt(STEP, EACH_BACKWARD), ...plays(layers.length + 2));
    const [last = ''] = layers.slice(-1).map(({ spec }) => spec.name);
    expect(stopsOf(said)).toEqual([
      ...layers.toReversed().map(({ spec }) => `0 backward ${spec.name}`),
      '1 step end',
      `1 backward ${last}`,
    ]);
  });

  it('stand through a pause inside the minibatch, with the weights as they were', async () => {
    const said = await train(
      restart(mode),
      request('saveWeights'),
      breakAt(LOSS),
      request('play'),
      request('pause'),
      request('saveWeights'),
      breakAt(),
      ...plays(1),
    );
    const shas = said.flatMap((message) =>
      message.type === 'reply' ? (message.result['weightsSha256'] ?? []) : [],
    );
    expect(shas).toHaveLength(2);
    expect(new Set(shas).size).toBe(1);
    expect(statusesOf(said).at(-1)?.weightsSha256).toEqual(await endOfUndisturbedRun(mode));
  });

  it('hold Step epoch, which is answered there, but not Step batch', async () => {
    const said = await train(restart(mode), breakAt(LOSS), request('stepBatch'), request('stepEpoch'));
    expect(stopsOf(said)).toEqual(['1 loss end']);
    expect(said.filter((message) => message.type === 'reply').every(({ error }) => error === null)).toBe(
      true,
    );
  });

  it('stop after the update of the last minibatch of an epoch only once it is tested', async () => {
    const said = await train(restart(mode), breakAt(STEP), ...plays(2));
    expect(stopsOf(said)).toEqual(['1 step end', '2 step end']);
    const stop = said.findIndex(
      (message) => message.type === 'status' && message.step === 2 && message.stoppedAt !== null,
    );
    const test = said.findIndex((message) => message.type === 'evaluation' && message.epoch === 1);
    expect(test).toBeGreaterThan(-1);
    expect(stop).toBeGreaterThan(test);
  });

  it('are told to every page in the order of a step, and stay over a new run', async () => {
    const said = await train(restart(mode), breakAt(STEP, EACH_BACKWARD, LOSS), restart(mode));
    expect(statusesOf(said).at(-1)?.breakpoints).toEqual([LOSS, EACH_BACKWARD, STEP]);
  });

  it('stay the reason of a stop that is gone back to when a new run could not be had', async () => {
    const onlyCpu = (choice: EngineChoice): Promise<OpenedEngine> =>
      choice === 'cpu'
        ? openEngine('cpu')
        : Promise.reject(new GradscopeError('engine-unavailable', `${choice} cannot load here.`));
    const badEngine = request('restart', {
      config: { ...CONFIG, mode, engine: 'wasm' },
      weightsFile: null,
    });
    const said = await runScript(
      mnist.folder,
      [restart(mode), breakAt(LOSS), request('play'), badEngine],
      onlyCpu,
    );
    expect(statusesOf(said).at(-1)).toMatchObject({ state: 'paused', phase: 'loss', stoppedAt: LOSS });
  });
});
