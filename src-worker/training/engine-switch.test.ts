import { getBackend, memory } from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OptimiserSpec } from '../../src-shared/model/optimiser';
import {
  DEFAULT_RUN_CONFIG,
  ENGINE_NAMES,
  type EngineName,
  type Mode,
  type RunConfig,
} from '../../src-shared/model/run-config';
import { GradscopeError } from '../../src-shared/protocol/errors';
import type { Status } from '../../src-shared/protocol/messages';
import { openDataset } from '../data/dataset';
import { openEngine } from '../engine';
import type { Engine } from '../engine/engine';
import { needsSetUp } from '../engine/tensorflow/set-up';
import { enginesHere } from '../engine/testing/describe-engines';
import { request, runScript } from '../testing/scripted-trainer';
import { type SmallMnist, smallMnist } from '../testing/small-mnist';
import { TINY_RECIPE, tinyDataset } from '../testing/tiny-run';
import { EngineChoices } from './engine-choice';
import { EngineSwitch } from './engine-switch';
import { EngineTables } from './engine-tables';
import { type RequestContext, serveRequest } from './requests';
import { createRun, disposeRun } from './run';
import { Session } from './session';
import type { ThreadCommand, ThreadMessage, ThreadReply } from './thread-messages';

const OPTIMISERS: OptimiserSpec[] = [
  { kind: 'sgd', learningRate: 0.05, momentum: 0.9, nesterov: false, weightDecay: 0 },
  { kind: 'sgd', learningRate: 0.05, momentum: 0.9, nesterov: true, weightDecay: 0.01 },
  { kind: 'adam', learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
];

type Leg = readonly [engine: EngineName, steps: number];

function doStep(session: Session): void {
  const { layers } = session.plan;
  session.beginStep();
  session.zeroGradients();
  for (const layer of layers) session.forward(layer);
  session.loss();
  for (const layer of layers.toReversed()) session.backward(layer);
  session.update();
  session.finishStep();
}

/** Trains the tiny network, so many steps on each engine in turn. Returns all weights. */
async function trainedOver(optimiser: OptimiserSpec, legs: readonly Leg[]): Promise<Float32Array> {
  const recipe = { ...TINY_RECIPE, optimiser };
  let engine: Engine | undefined;
  let session: Session | undefined;
  for (const [name, steps] of legs) {
    const former = engine;
    ({ engine } = await openEngine(name));
    if (session === undefined) {
      session = new Session({ engine, dataset: tinyDataset(), recipe, config: DEFAULT_RUN_CONFIG });
    } else {
      const known = (): unknown[] =>
        session?.plan.parameters.map((parameter) => structuredClone(session?.lastUpdate(parameter.name))) ??
        [];
      const [sha, updates] = [session.weightsSha256(), known()];
      session.moveTo(engine).before.dispose();
      expect(session.weightsSha256()).toBe(sha);
      expect(known()).toEqual(updates);
    }
    former?.dispose();
    for (let i = 0; i < steps; i += 1) doStep(session);
  }
  if (session === undefined) throw new Error('There were no legs.');
  const weights = session.plan.parameters.flatMap(({ name }) => [...session.mirror(name).weight.values]);
  session.dispose();
  engine?.dispose();
  return Float32Array.from(weights);
}

describe.each(OPTIMISERS)('a session that moves on with $kind, nesterov $nesterov', (optimiser) => {
  // Catches: a value or a piece of the optimiser's state that is lost or rounded on the way.
  it('trains on bit for bit when it has been on other engines without a step there', async () => {
    const straight = await trainedOver(optimiser, [['simd', 7]]);
    const others = enginesHere().filter((name) => name !== 'simd');
    const visited = await trainedOver(optimiser, [
      ['simd', 3],
      ...others.map((name): Leg => [name, 0]),
      ['simd', 4],
    ]);
    expect(visited).toEqual(straight);
  });

  // Catches: an engine that begins with an optimiser that remembers nothing, or counts its updates anew.
  it('comes to the same weights as without moving, but for rounding, when every engine trains a part', async () => {
    const straight = await trainedOver(optimiser, [['simd', 7]]);
    const others = enginesHere().filter((name) => name !== 'simd');
    const moved = await trainedOver(optimiser, [
      ['simd', 2],
      ...others.map((name): Leg => [name, 1]),
      ['simd', 5 - others.length],
    ]);
    const farthest = straight.reduce((most, value, i) => Math.max(most, Math.abs(value - moved[i]!)), 0);
    expect(farthest).toBeLessThan(1e-4);
    expect(farthest).toBeGreaterThan(0);
  });
});

describe('a session that cannot move', () => {
  // Catches: a run left between two engines.
  it('stays where it was, inside a step and when the other engine refuses the network', async () => {
    const { engine } = await openEngine('cpu');
    const session = new Session({
      engine,
      dataset: tinyDataset(),
      recipe: TINY_RECIPE,
      config: DEFAULT_RUN_CONFIG,
    });
    doStep(session);
    const sha = session.weightsSha256();
    const { network } = session;
    const refusing: Engine = {
      ...engine,
      createNetwork: () => {
        throw new GradscopeError('engine-cannot-run', 'conv1 is too wide.');
      },
    };
    expect(() => session.moveTo(refusing)).toThrow('conv1 is too wide');
    session.beginStep();
    expect(() => session.moveTo(engine)).toThrow('between two minibatches');
    session.abandonStep();
    expect(session.network).toBe(network);
    doStep(session);
    expect(session.step).toBe(2);
    expect(session.weightsSha256()).not.toBe(sha);
    session.dispose();
    engine.dispose();
  });
});

const CONFIG: RunConfig = {
  ...DEFAULT_RUN_CONFIG,
  engine: 'cpu',
  stopAtStep: 1000,
  epochs: 1000,
  order: Array.from({ length: 8 }, (_, i) => [2 * i, 2 * i + 1]),
};

let mnist: SmallMnist;
beforeAll(() => {
  mnist = smallMnist(16, 10);
});
afterAll(() => {
  mnist.remove();
});

const restart = (changes: Partial<RunConfig> = {}): ThreadCommand =>
  request('restart', { config: { ...CONFIG, ...changes }, weightsFile: null });
const to = (engine: EngineName | 'auto'): ThreadCommand => request('setEngine', { engine });
const stepBatch = (): ThreadCommand => request('stepBatch');

interface Heard {
  readonly said: ThreadMessage[];
  readonly statuses: Status[];
  readonly replies: ThreadReply[];
  readonly engines: Extract<ThreadMessage, { type: 'engine' }>[];
  readonly last: Status | undefined;
}

function sorted(said: ThreadMessage[]): Heard {
  const statuses = said.filter((message): message is Status => message.type === 'status');
  return {
    said,
    statuses,
    last: statuses.at(-1),
    replies: said.filter((message): message is ThreadReply => message.type === 'reply'),
    engines: said.filter((message) => message.type === 'engine'),
  };
}

const train = async (commands: ThreadCommand[], open = openEngine): Promise<Heard> =>
  sorted(await runScript(mnist.folder, commands, open));

const codes = ({ replies }: Heard): (string | null)[] => replies.map(({ error }) => error?.code ?? null);
const stopsOf = ({ statuses }: Heard): [number, string | null][] =>
  statuses.filter(({ state }) => state === 'paused').map(({ step, phase }) => [step, phase]);

describe.each<Mode>(['imperative', 'fit'])('setEngine in the %s loop', (mode) => {
  // Catches: a loop, a picture or a history that still computes on the engine that was left.
  it('goes on at the same step with the same weights, and everything that looks on goes along', async () => {
    const watch: ThreadCommand[] = [
      { type: 'connect', client: 1 },
      // A page that nobody sees is not waited for.
      { type: 'visibility', client: 1, visible: false },
      {
        type: 'watch',
        client: 1,
        items: [
          { name: 'conv1.weight', kind: 'gradient', maxValues: 10_000 },
          { name: 'conv1', kind: 'digitOutput', maxValues: 10_000 },
          { name: 'conv1', kind: 'digitError', maxValues: 10_000 },
        ],
      },
    ];
    const credit: ThreadCommand = { type: 'credit', client: 1, count: 2 };
    const breakpoints = [{ phase: 'loss', after: 'phase' }];
    const heard = await train([
      ...watch,
      restart({ mode }),
      credit,
      request('setBreakpoints', { breakpoints }),
      request('setSpeed', { stepsPerSecond: 50 }),
      stepBatch(),
      credit,
      stepBatch(),
      request('saveWeights'),
      to('wasm'),
      request('saveWeights'),
      credit,
      request('measureStep'),
      stepBatch(),
      credit,
      to('simd'),
      stepBatch(),
      credit,
      request('kernelHistory', { layer: 'conv1', filter: 0, input: 0 }),
    ]);
    expect(codes(heard).filter((code) => code !== null)).toEqual([]);
    expect(heard.engines.map(({ engine }) => engine.name)).toEqual(['wasm', 'simd']);
    expect(heard.last).toMatchObject({ runId: 1, step: 4, mode, breakpoints, stepsPerSecondLimit: 50 });

    const shas = heard.replies.flatMap(({ result }) => result['weightsSha256'] ?? []);
    expect(shas).toHaveLength(2);
    expect(shas[1]).toBe(shas[0]);
    const history = heard.replies.at(-1);
    expect(history?.result).toMatchObject({ count: 5 });
    const frames = heard.said.filter((message) => message.type === 'frame');
    expect(frames.at(-1)?.head).toMatchObject({ step: 4 });
    expect(frames.at(-1)?.head.slots.map(({ freshness }) => freshness)).toEqual(['fresh', 'fresh', 'fresh']);

    // Four steps on one engine come to the same weights but for rounding.
    const straight = await train([restart({ mode }), ...Array.from({ length: 4 }, stepBatch), read()]);
    const moved = await train([
      restart({ mode }),
      stepBatch(),
      stepBatch(),
      to('wasm'),
      stepBatch(),
      to('simd'),
      stepBatch(),
      read(),
    ]);
    const one = floatsOf(straight.replies.at(-1));
    const other = floatsOf(moved.replies.at(-1));
    expect(one.length).toBeGreaterThan(0);
    for (const [i, value] of one.entries()) expect(Math.abs(value - other[i]!)).toBeLessThan(1e-4);
  });

  // Catches: a switch that only works between minibatches, or one that trains a minibatch on two engines.
  it('gives up the minibatch that it stands in, and does it again on the other engine', async () => {
    const inside = [request('stepPhase'), request('stepPhase')];
    const heard = await train([restart({ mode }), stepBatch(), ...inside, to('wasm'), stepBatch()]);
    expect(stopsOf(heard)).toContainEqual([1, 'forward']);
    const straight = await train([restart({ mode }), stepBatch(), to('wasm'), stepBatch()]);
    expect(heard.last?.step).toBe(2);
    expect(heard.last?.weightsSha256).toEqual(straight.last?.weightsSha256);
  });

  // Catches: a run said to be held at a breakpoint within a minibatch that was given up.
  it('is held by the breakpoint no more whose minibatch it has given up, but is where it is refused', async () => {
    const open: typeof openEngine = async (name) => {
      if (name === 'simd') throw new GradscopeError('engine-unavailable', 'No.');
      return openEngine(name);
    };
    const breakpoint = { phase: 'loss', after: 'phase' };
    const held = [
      restart({ mode }),
      request('setBreakpoints', { breakpoints: [breakpoint] }),
      request('play'),
    ];
    const refused = await train([...held, to('simd')], open);
    expect(refused.last).toMatchObject({ state: 'paused', phase: 'loss', stoppedAt: breakpoint });
    const moved = await train([...held, to('wasm')], open);
    expect(moved.statuses.some(({ stoppedAt }) => stoppedAt !== null)).toBe(true);
    expect(moved.last).toMatchObject({ state: 'paused', phase: null, stoppedAt: null });
  });

  // Catches: a run that is damaged, moved or thrown out of its place by a switch that was refused.
  it('leaves the run where it stood when the engine cannot be had or cannot run the network', async () => {
    for (const code of ['engine-unavailable', 'engine-cannot-run'] as const) {
      const open: typeof openEngine = async (name) => {
        const opened = await openEngine(name);
        if (name !== 'wasm') return opened;
        const refuse = (): never => {
          opened.engine.dispose();
          throw new GradscopeError(code, 'No.');
        };
        return code === 'engine-unavailable'
          ? refuse()
          : { ...opened, engine: { ...opened.engine, createNetwork: refuse } };
      };
      const heard = await train(
        [restart({ mode }), stepBatch(), request('stepPhase'), to('wasm'), request('stepPhase'), stepBatch()],
        open,
      );
      expect(codes(heard)).toEqual([null, null, null, code, null, null]);
      expect(
        stopsOf(heard)
          .slice(-4)
          .map(([, phase]) => phase),
      ).toEqual(['zeroGrad', 'zeroGrad', 'forward', 'step']);
      expect(heard.engines).toEqual([]);
      const undisturbed = await train([restart({ mode }), stepBatch(), stepBatch()]);
      expect(heard.last?.weightsSha256).toEqual(undisturbed.last?.weightsSha256);
    }
  });
});

const read = (): ThreadCommand => request('readTensor', { name: 'conv2.weight', kind: 'weight' });
const floatsOf = (reply: ThreadReply | undefined): Float32Array =>
  new Float32Array(reply?.payload?.slice().buffer ?? new ArrayBuffer(0));

describe('the proof', () => {
  // Catches: two runs said to agree, or to differ, of which one was trained by two engines.
  it('says nothing of a run that switched engines on the way', async () => {
    const heard = await train([
      restart(),
      stepBatch(),
      stepBatch(),
      restart(),
      stepBatch(),
      to('wasm'),
      stepBatch(),
      to('cpu'),
      stepBatch(),
    ]);
    const proofs = heard.statuses.filter(({ runId }) => runId === 2);
    expect(proofs.find(({ step }) => step === 1)?.proof).toMatchObject({ same: true });
    expect(heard.last).toMatchObject({ runId: 2, step: 3, proof: null });
    expect(heard.last?.weightsSha256?.step).toBe(3);
  });

  it('compares a run that switched before its first step with runs on the engine that trained it', async () => {
    const heard = await train([restart(), stepBatch(), restart({ engine: 'wasm' }), to('cpu'), stepBatch()]);
    expect(heard.last).toMatchObject({ runId: 2, step: 1, proof: { step: 1, same: true } });
  });

  // Catches: plain and relaxed SIMD, whose bits differ, said to prove something of each other.
  it.each([
    ['the same variant', ['SIMD', 'SIMD'], { step: 1, same: true }],
    ['another variant', ['SIMD', 'relaxed SIMD'], null],
  ])('compares a run with those on the engine in %s only', async (_, variants, proof) => {
    const left = [...variants];
    const open: typeof openEngine = async (name) => {
      const opened = await openEngine(name);
      const variant = name === 'wasm' ? left.shift() : undefined;
      return variant === undefined ? opened : { ...opened, engine: { ...opened.engine, variant } };
    };
    const onWasm = [restart({ engine: 'wasm' }), stepBatch()];
    const heard = await train([...onWasm, restart({ engine: 'cpu' }), ...onWasm], open);
    expect(left).toEqual([]);
    expect(heard.last).toMatchObject({ runId: 3, step: 1, proof });
  });
});

// Catches: times of two engines mixed, which after some steps on a slow one would be said of the fast one for a hundred more.
it('what fit() takes of a step is known anew on each engine', async () => {
  const heard = await train([restart({ mode: 'fit' }), stepBatch(), to('wasm'), stepBatch(), to('wasm')]);
  const times = heard.said.flatMap((message): (Status['fitTime'] | 'on another')[] => {
    if (message.type === 'engine') return ['on another'];
    return message.type === 'status' && message.state !== 'running' ? [message.fitTime] : [];
  });
  const around = times.flatMap((time, i) => (time === 'on another' ? [[times[i - 1], times[i + 1]]] : []));
  const known = expect.any(Object) as object;
  expect(around).toEqual([
    [known, null],
    [known, known],
  ]);
});

describe('what is refused', () => {
  const refusalWhile = (
    control: Partial<RequestContext['control']>,
    command = to('wasm'),
  ): string | undefined => {
    let sentence: string | undefined;
    const context = { control, run: () => ({}) } as unknown as RequestContext;
    if (command.type !== 'request') throw new Error('not a request');
    serveRequest(context, command, (answered) => {
      if ('code' in answered) sentence = `${answered.code}: ${answered.message}`;
    });
    return sentence;
  };

  it('is a switch while training runs, and of a run that failed', () => {
    expect(refusalWhile({ standing: false })).toContain(
      'not-now: The engine is switched while training stands',
    );
    expect(refusalWhile({ standing: true, ended: 'failed' })).toContain('not-now: The run has failed');
  });

  it('is measuring while training runs, whose steps would be in its times', () => {
    const measure = request('measureEngines');
    expect(refusalWhile({ standing: false }, measure)).toContain('not-now: Engines are measured while');
    expect(refusalWhile({ standing: true, ended: 'failed' }, measure)).toContain('not-now');
  });
});

describe('what an engine holds', () => {
  // Catches: networks, passes and tensors of the engines that a run has left.
  it('is freed when a run leaves it', async () => {
    const round = [
      stepBatch(),
      to('wasm'),
      stepBatch(),
      to('simd'),
      stepBatch(),
      to('cpu'),
      request('measureStep'),
      request('measureEngines'),
    ];
    await train([restart(), ...round]);
    const after = memory().numTensors;
    await train([restart({ mode: 'fit' }), ...round, ...round, ...round]);
    expect(memory().numTensors).toBe(after);
  });
});

describe('a run on auto', () => {
  /** Every loss computed on a slow engine takes a second of the trainer's clock. */
  const race = async (
    slow: readonly EngineName[],
    commands: ThreadCommand[],
    tables?: EngineTables,
  ): Promise<Heard> => {
    const clock = { ms: 0 };
    const open: typeof openEngine = async (name) => {
      // The race is between those that are on every machine.
      if (needsSetUp(name)) throw new GradscopeError('engine-unavailable', `${name} is not here.`);
      const opened = await openEngine(name);
      return slow.includes(name) ? { ...opened, engine: slowed(opened.engine, clock) } : opened;
    };
    return sorted(await runScript(mnist.folder, commands, open, tables, clock));
  };
  const runsOf = ({ said }: Heard): string[] =>
    said.filter((message) => message.type === 'run').map(({ run }) => run.engine.name);

  // Catches: a table from a noisy moment that stays for ever; a run left on the engine that is not the fastest after all.
  it('is moved to the fastest when the engines are measured anew, and so does the next run begin', async () => {
    const tables = new EngineTables(null, () => undefined);
    await race(['simd', 'cpu'], [restart({ engine: 'auto' }), stepBatch()], tables);
    const anew = request('measureEngines');
    const auto = restart({ engine: 'auto' });
    const heard = await race(
      ['wasm', 'cpu'],
      [auto, stepBatch(), request('stepPhase'), anew, stepBatch(), auto],
      tables,
    );
    expect(codes(heard).filter((code) => code !== null)).toEqual([]);
    expect(runsOf(heard)).toEqual(['wasm', 'simd']);
    expect(heard.engines.map(({ engine, choice }) => [engine.name, choice])).toEqual([['simd', 'auto']]);
    const said = heard.said.map((message) => (message.type === 'reply' ? message.id : message.type));
    expect(said.indexOf('engine')).toBeLessThan(said.indexOf(anew.type === 'request' ? anew.id : -1));
    const named = await train([restart({ engine: 'wasm' }), stepBatch(), to('simd'), stepBatch()]);
    const last = heard.statuses.findLast(({ runId }) => runId === 1);
    expect(last).toMatchObject({ step: 2, weightsSha256: named.last?.weightsSha256 });
  });

  // Catches: a run that was asked for by name moved to another engine by looking how fast the others are.
  it('and only that: a pinned run is told the speeds and stays where it is, with the same bits', async () => {
    const steps = [stepBatch(), stepBatch()];
    const heard = await race(['cpu'], [restart(), stepBatch(), request('measureEngines'), stepBatch()]);
    expect(heard.engines).toHaveLength(1);
    expect(heard.engines[0]).toMatchObject({ choice: 'cpu', engine: { name: 'cpu' } });
    expect(heard.engines[0]?.engineTable.map(({ name }) => name)).toEqual([...ENGINE_NAMES]);
    expect(
      heard.engines[0]?.engineTable.find(({ name }) => name === 'simd')?.imagesPerSecond,
    ).toBeGreaterThan(0);
    const straight = await train([restart(), ...steps]);
    expect(heard.last).toMatchObject({ step: 2, weightsSha256: straight.last?.weightsSha256 });
    expect(heard.last?.proof).toEqual(straight.last?.proof);
  });

  // Catches: the first steps of a run being trained on another engine than the rest of it.
  it('is moved to the fastest before its first step, whatever asks for that', async () => {
    for (const first of [request('stepPhase'), stepBatch(), request('play')]) {
      const heard = await race(
        ['simd', 'cpu'],
        [restart({ engine: 'auto', stopAtStep: 1 }), first, stepBatch()],
      );
      expect(heard.engines.map(({ engine }) => engine.name)).toEqual(['wasm']);
      const [{ engineTable, engine }] = heard.engines as [Heard['engines'][0]];
      expect(engine.chosenBecause).toBe('auto measured it to be the fastest');
      expect(engineTable.map(({ name }) => name)).toEqual([...ENGINE_NAMES]);
      const said = heard.said.map(({ type }) => type);
      expect(said.indexOf('engine')).toBeLessThan(said.indexOf('metrics'));
      const named = await train([restart({ engine: 'wasm', stopAtStep: 1 }), stepBatch()]);
      expect(heard.last?.weightsSha256).toEqual(named.last?.weightsSha256);
    }
  });

  // Catches: measuring again for every run; a run that begins on the wrong engine though the right one is known.
  it('begins on the fastest when that is known, and measures no more', async () => {
    const heard = await race(
      ['simd', 'cpu'],
      [restart({ engine: 'auto' }), stepBatch(), restart({ engine: 'auto', seed: 2 }), stepBatch()],
    );
    expect(heard.engines).toHaveLength(1);
    const runs = heard.said.filter((message) => message.type === 'run').map(({ run }) => run);
    expect(runs.map(({ engine }) => engine.name)).toEqual(['simd', 'wasm']);
    expect(runs[1]?.engine.chosenBecause).toContain('before');
    expect(runs[1]?.engineTable).toHaveLength(ENGINE_NAMES.length);
  });

  // Catches: the choice of a person overruled by a measurement.
  it('stays on an engine that was asked for by name meanwhile', async () => {
    const heard = await race(['simd'], [restart({ engine: 'auto' }), to('cpu'), stepBatch()]);
    expect(heard.engines.map(({ engine }) => [engine.name, engine.chosenBecause])).toEqual([
      ['cpu', 'asked for by name'],
    ]);
  });

  it('can be asked for later, at any step', async () => {
    const heard = await race(['simd', 'cpu'], [restart(), stepBatch(), to('auto'), stepBatch(), to('auto')]);
    expect(codes(heard)).toEqual([null, null, null, null, null]);
    expect(heard.engines.map(({ engine }) => engine.name)).toEqual(['wasm', 'wasm']);
    expect(heard.last).toMatchObject({ step: 2, proof: null });
  });

  // Catches: a step that had to wait for its turn being the first of a run whose engine is then switched after it.
  it('is measured before a first step that had to wait until the page had drawn', async () => {
    const items = [{ name: 'conv1.weight', kind: 'weight' as const, maxValues: 10_000 }];
    const heard = await race(
      ['simd', 'cpu'],
      [
        { type: 'connect', client: 1 },
        restart({ engine: 'auto' }),
        { type: 'watch', client: 1, items },
        { type: 'credit', client: 1, count: 2 },
        stepBatch(),
        // Only now it has drawn what was there before the step.
        { type: 'credit', client: 1, count: 1 },
      ],
    );
    const said = heard.said.map(({ type }) => type);
    expect(heard.engines.map(({ engine }) => engine.name)).toEqual(['wasm']);
    expect(heard.last).toMatchObject({ step: 1, state: 'paused' });
    expect(said.indexOf('engine')).toBeLessThan(said.indexOf('metrics'));
  });

  // Catches: who is served between two pieces of measuring computing with the kernels of another engine.
  it('has its own engine active whenever measuring may be interrupted', async () => {
    const engines = new EngineChoices({
      openEngine: async (name) => {
        if (name === 'wasm' || name === 'cpu') return openEngine(name);
        throw new GradscopeError('engine-unavailable', `${name} is not here.`);
      },
      tables: new EngineTables(null, () => undefined),
      machine: 'this',
      now: () => performance.now(),
    });
    const dataset = openDataset({ GRADSCOPE_DATA: mnist.folder });
    const surroundings = { dataset, digit: { testIndex: 0 }, engines, now: () => 0 };
    const nothing = (): void => undefined;
    const engineSwitch = new EngineSwitch({ engines, leave: nothing, settled: nothing });
    const config: RunConfig = { ...CONFIG, engine: 'auto' };
    const run = await createRun(1, { config, weights: null }, surroundings, undefined);
    expect([run.engine.engine.name, run.choosing]).toEqual(['wasm', true]);
    const active: string[] = [];
    await engineSwitch.choose(run, () => {
      active.push(getBackend());
      return true;
    });
    expect(run.engineTable.find(({ name }) => name === 'cpu')?.reason).toBeNull();
    expect(new Set(active)).toEqual(new Set(['wasm']));
    disposeRun(run, undefined);
  });

  // Catches: a table of other versions, or of an engine that is gone, that a switch to auto goes by and shows.
  it('is measured anew when the fastest is not what was measured, or is no more', async () => {
    let opened = 0;
    const open: typeof openEngine = async (name) => {
      if (name !== 'cpu' && name !== 'wasm') {
        throw new GradscopeError('engine-unavailable', `${name} is not here.`);
      }
      if (name === 'cpu') return openEngine(name);
      opened += 1;
      if (opened === 3) throw new GradscopeError('engine-unavailable', 'wasm is gone.');
      const wasm = await openEngine(name);
      return { ...wasm, engine: { ...wasm.engine, variant: `build ${String(opened)}` } };
    };
    const clock = { ms: 0 };
    const slowCpu: typeof openEngine = async (name) => {
      const one = await open(name);
      return name === 'cpu' ? { ...one, engine: slowed(one.engine, clock) } : one;
    };
    const commands = [restart(), to('auto'), to('cpu'), to('auto'), to('cpu'), to('auto')];
    const heard = sorted(await runScript(mnist.folder, commands, slowCpu, undefined, clock));
    expect(codes(heard).filter((code) => code !== null)).toEqual([]);
    const variants = heard.engines.map(({ engineTable }) => engineTable.find(({ name }) => name === 'wasm'));
    expect(variants.map((row) => row?.variant)).toEqual([
      'build 1',
      'build 1',
      'build 2',
      'build 2',
      'build 4',
    ]);
    expect(heard.engines.map(({ engine }) => engine.name)).toEqual(['wasm', 'cpu', 'wasm', 'cpu', 'wasm']);
  });

  // Catches: a page that waits for its first picture until all engines are measured, or a run that is never measured.
  it('is measured once the first picture is out and nobody wants anything', async () => {
    const items = [{ name: 'conv1.weight', kind: 'weight' as const, maxValues: 10_000 }];
    const heard = await race(
      ['simd', 'cpu'],
      [
        { type: 'connect', client: 1 },
        restart({ engine: 'auto' }),
        { type: 'watch', client: 1, items },
        { type: 'credit', client: 1, count: 2 },
        // It has drawn the first.
        { type: 'credit', client: 1, count: 1 },
      ],
    );
    const said = heard.said.map(({ type }) => type);
    expect(heard.engines.map(({ engine }) => engine.name)).toEqual(['wasm']);
    expect(said.indexOf('frame')).toBeGreaterThan(-1);
    expect(said.indexOf('frame')).toBeLessThan(said.indexOf('engine'));
    expect(heard.last).toMatchObject({ step: 0, state: 'paused' });
  });
});

function slowed(engine: Engine, clock: { ms: number }): Engine {
  return {
    ...engine,
    createNetwork(plan) {
      const network = engine.createNetwork(plan);
      const createPass = network.createPass.bind(network);
      network.createPass = () => {
        const pass = createPass();
        const loss = pass.loss.bind(pass);
        pass.loss = () => {
          clock.ms += 1000;
          return loss();
        };
        return pass;
      };
      return network;
    },
  };
}
