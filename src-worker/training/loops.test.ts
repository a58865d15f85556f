import fc from 'fast-check';
import { beforeAll, expect, it, vi } from 'vitest';
import { planNetwork, type LayerSpec } from '../../src-shared/model/network';
import type { Position } from '../../src-shared/model/phases';
import { recipeNamed, type Recipe } from '../../src-shared/model/recipe';
import { DEFAULT_RUN_CONFIG, ENGINE_NAMES, type Mode } from '../../src-shared/model/run-config';
import { fillWords } from '../../src-shared/tensor/random';
import { gatherMinibatch, normalisation, openDataset, type Dataset } from '../data/dataset';
import { openEngine } from '../engine';
import type { Engine } from '../engine/engine';
import { arbitraryNetwork } from '../engine/testing/arbitrary-network';
import { TINY_RECIPE, tinyDataset } from '../testing/tiny-run';
import { FitLoop } from './fit-loop';
import { ImperativeLoop } from './imperative-loop';
import { StepAbandoned, type Gate } from './loop';
import { Session, type SessionOptions, type StepRecord } from './session';
import { describeEngines } from '../engine/testing/describe-engines';

const LOOPS = { imperative: ImperativeLoop, fit: FitLoop };
const MODES = ['imperative', 'fit'] as const;

interface Plan {
  readonly steps: number;
  /** Which loop trains the step that follows `finished` ones; a change makes the gate say leave. */
  readonly mode?: Mode | ((finished: number) => Mode);
  /** Asked at every gate of every attempt, with the number of gates passed so far; true: the minibatch is given up. */
  readonly abandon?: (gates: number, position: Position) => boolean;
  readonly onStep?: (record: StepRecord) => void;
  readonly reached?: (position: Position) => void;
}

interface Told {
  readonly loops: number;
  readonly abandoned: number;
}

/** Trains by the real loops over a scripted gate, as the controller does: one loop after the other until all is done. */
async function train(
  session: Session,
  { steps, mode = 'imperative', abandon, onStep, reached }: Plan,
): Promise<Told> {
  const modeAt = typeof mode === 'function' ? mode : () => mode;
  let gates = 0;
  let loops = 0;
  let abandoned = 0;
  while (session.step < steps && !session.runDone) {
    const current = modeAt(session.step);
    const gate: Gate = {
      beforeStep: () => (session.step >= steps || modeAt(session.step) !== current ? 'leave' : 'go'),
      reached: (position) => {
        reached?.(position);
        gates += 1;
        if (position.phase === 'step' || abandon?.(gates, position) !== true) return;
        abandoned += 1;
        throw new StepAbandoned();
      },
    };
    await new LOOPS[current](session, gate, onStep ?? (() => undefined)).run();
    loops += 1;
  }
  return { loops, abandoned };
}

/** Gives up at about one gate in sixty, wherever it is. */
function atRandom(seed: number): (gates: number) => boolean {
  const words = new Uint32Array(1 << 16);
  fillWords(words, { seed, purpose: 'minibatchOrder', step: 0, layer: 0 });
  return (gates) => words[gates % words.length]! % 60 === 0;
}

/** An eighth of the steps in one loop, then in the other: seven changes. */
const switching =
  (steps: number) =>
  (finished: number): Mode =>
    Math.floor((finished * 8) / steps) % 2 === 0 ? 'imperative' : 'fit';

const tiny = { recipe: TINY_RECIPE, dataset: tinyDataset() };

const ADAM = {
  kind: 'adam',
  learningRate: 0.01,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0.01,
} as const;
const SGD = { kind: 'sgd', learningRate: 0.05, momentum: 0.9, nesterov: true, weightDecay: 0.01 } as const;
const OPTIMISERS: readonly Recipe['optimiser'][] = [ADAM, SGD, { ...SGD, momentum: 0, nesterov: false }];

/** Ten images of noise to train by. */
function noise(height: number, width: number, classes: number): Dataset {
  const count = 10;
  const words = new Uint32Array(count * height * width);
  fillWords(words, { seed: 1, purpose: 'minibatchOrder', step: 0, layer: 0 });
  const pixels = Uint8Array.from(words, (word) => word >>> 24);
  const labels = Uint8Array.from({ length: count }, (_, i) => i % classes);
  const examples = { count, pixels, labels };
  return { name: 'noise', channels: 1, height, width, classes, train: examples, test: examples };
}

describeEngines('on %s', (engineName) => {
  let engine: Engine;
  beforeAll(async () => {
    ({ engine } = await openEngine(engineName));
    return () => {
      engine.dispose();
    };
  });

  async function shaOf(
    setting: { recipe: Recipe; dataset: Dataset },
    plan: Plan,
    config: Partial<SessionOptions['config']> = {},
  ): Promise<string> {
    const session = new Session({ engine, ...setting, config: { ...DEFAULT_RUN_CONFIG, ...config } });
    const told = await train(session, plan);
    const sha = session.weightsSha256();
    session.dispose();
    expect(told.abandoned > 0).toBe(plan.abandon !== undefined);
    return sha;
  }

  it('both loops pass the same gates in the same order, with the same losses and norms', async () => {
    const stories: unknown[] = [];
    for (const mode of MODES) {
      const session = new Session({ engine, ...tiny, config: DEFAULT_RUN_CONFIG });
      const story: unknown[] = [];
      await train(session, {
        steps: 12,
        mode,
        onStep: (record) => story.push(record),
        reached: ({ phase, layer }) => {
          const { minibatch, epoch, stepInEpoch, step } = session;
          story.push({ phase, layer, finished: session.phase, minibatch, epoch, stepInEpoch, step });
        },
      });
      stories.push(story);
      session.dispose();
    }
    expect(stories[0]).toEqual(stories[1]);
    expect(stories[0]).toHaveLength(12 * (5 + 2 * TINY_RECIPE.network.layers.length + 1));
  });

  it('a run over two epochs is the same in both loops, switched seven times, and abandoned at random', async () => {
    const steps = 12;
    const shas = [
      await shaOf(tiny, { steps, mode: 'imperative' }),
      await shaOf(tiny, { steps, mode: 'fit' }),
      await shaOf(tiny, { steps, mode: switching(steps) }),
      await shaOf(tiny, { steps, mode: 'imperative', abandon: atRandom(1) }),
      await shaOf(tiny, { steps, mode: 'fit', abandon: atRandom(2) }),
    ];
    expect(new Set(shas).size).toBe(1);
    expect(await shaOf(tiny, { steps, mode: 'fit' }, { seed: 2 })).not.toBe(shas[0]);
  });

  it.each(MODES)(
    '%s: a minibatch given up at each gate in turn changes nothing, and no buffer is left',
    async (mode) => {
      const steps = 2;
      const undisturbed = await shaOf(tiny, { steps, mode });
      const gatesOfStep = 5 + 2 * TINY_RECIPE.network.layers.length;
      const session = new Session({ engine, ...tiny, config: DEFAULT_RUN_CONFIG });
      await train(session, { steps: 1, mode });
      const buffers = engine.liveBuffers();
      let next = 1;
      let inStep = 0;
      await train(session, {
        steps,
        mode,
        reached: () => (inStep += 1),
        abandon: () => {
          if (inStep < next || next === gatesOfStep) return false;
          next += 1;
          inStep = 0;
          return true;
        },
      });
      expect(next).toBe(gatesOfStep);
      expect(session.weightsSha256()).toBe(undisturbed);
      expect(engine.liveBuffers()).toBe(buffers);
      session.dispose();
    },
  );

  it.each(MODES)(
    '%s: the number of buffers is the same after every step, and after the loop as before it',
    async (mode) => {
      const session = new Session({
        engine,
        ...tiny,
        config: { ...DEFAULT_RUN_CONFIG, epochs: 5 },
      });
      await train(session, { steps: 6, mode });
      const between = engine.liveBuffers();
      const within = new Set<number>();
      await train(session, {
        steps: 24,
        mode,
        onStep: ({ step }) => {
          // fitDataset makes its running total of the loss after the first minibatch of a call.
          if ((step - 1) % 6 !== 0) within.add(engine.liveBuffers());
        },
      });
      expect([...within]).toHaveLength(1);
      expect(engine.liveBuffers()).toBe(between);
      session.dispose();
      expect(engine.liveBuffers()).toBe(0);
    },
  );

  it('a network that begins with layers without parameters goes through all of them backwards in both loops', async () => {
    const layers: LayerSpec[] = [
      { kind: 'dropout', name: 'dropout0', rate: 0.1, unit: 'element' },
      { kind: 'relu', name: 'relu0' },
      ...TINY_RECIPE.network.layers,
    ];
    const recipe = { ...TINY_RECIPE, network: { ...TINY_RECIPE.network, layers } };
    const stories: Position[][] = [];
    const shas: string[] = [];
    for (const mode of MODES) {
      const story: Position[] = [];
      shas.push(await shaOf({ ...tiny, recipe }, { steps: 3, mode, reached: (at) => story.push(at) }));
      stories.push(story);
    }
    expect(stories[0]).toEqual(stories[1]);
    expect(shas[0]).toBe(shas[1]);
  });

  it('weights loaded in the middle of a fit() loop clear its momentum, as in the imperative loop', async () => {
    const shas: string[] = [];
    for (const mode of MODES) {
      // Between two minibatches, and at the last gate of a step, before tfjs has finished with the minibatch.
      for (const at of ['boundary', 'step'] as const) {
        const session = new Session({ engine, ...tiny, config: DEFAULT_RUN_CONFIG });
        const file = session.exportWeights();
        const load = (): void => {
          session.importWeights(file, 'w.safetensors');
        };
        const gate: Gate = {
          beforeStep: () => {
            if (session.step === 3 && at === 'boundary') load();
            return session.step === 5 ? 'leave' : 'go';
          },
          reached: ({ phase }) => {
            if (session.step === 3 && phase === 'step' && at === 'step') load();
          },
        };
        await new LOOPS[mode](session, gate, () => undefined).run();
        shas.push(session.weightsSha256());
        session.dispose();
      }
    }
    expect(new Set(shas).size).toBe(1);
  });

  // Catches: an optimiser whose state or count of updates is another in fit(), or is not carried from one loop to the other;
  // a layer whose kernel is another while tfjs records.
  it('networks and optimisers of every kind end in the same SHA from both loops, and from switching between them', async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryNetwork, fc.constantFrom(...OPTIMISERS), async ({ spec }, optimiser) => {
        const [, height, width] = spec.input;
        const network = { ...spec, input: [1, height, width] as [number, number, number] };
        const recipe: Recipe = { ...TINY_RECIPE, network, optimiser, batchSize: 5 };
        const { classes } = planNetwork(network);
        const setting = { recipe, dataset: noise(height, width, classes) };
        const shas: string[] = [];
        for (const mode of [...MODES, switching(8)]) {
          shas.push(await shaOf(setting, { steps: 8, mode }, { epochs: 4 }));
        }
        expect(new Set(shas).size, JSON.stringify({ network, optimiser })).toBe(1);
      }),
      { numRuns: 25 },
    );
  });

  // Catches: a bias correction for the hundredth update on a state that was just cleared.
  it('weights loaded in the middle of a run begin a new count of updates', async () => {
    const learningRate = 0.01;
    const optimiser = { ...ADAM, learningRate, weightDecay: 0 };
    for (const mode of MODES) {
      const recipe = { ...TINY_RECIPE, optimiser };
      const session = new Session({ engine, ...tiny, recipe, config: { ...DEFAULT_RUN_CONFIG, epochs: 3 } });
      await train(session, { steps: 4, mode });
      session.importWeights(session.exportWeights(), 'w.safetensors');
      await train(session, { steps: 5, mode });
      // Adam's first update is learningRate times the sign of the gradient.
      const { update, gradient } = session.mirror('fc1.weight');
      update.values.forEach((value, i) => {
        const g = gradient.values[i]!;
        if (Math.abs(g) > 1e-4) expect(value / -Math.sign(g)).toBeCloseTo(learningRate, 4);
      });
      session.dispose();
    }
  });

  it('a weight set by hand inside a step, between forward and backward, counts from there on in both loops', async () => {
    const shas: string[] = [];
    for (const mode of MODES) {
      const session = new Session({ engine, ...tiny, config: DEFAULT_RUN_CONFIG });
      await train(session, {
        steps: 3,
        mode,
        reached: ({ phase }) => {
          if (session.step === 1 && phase === 'loss') session.setWeight('fc1.weight', 5, 0.125);
        },
      });
      shas.push(session.weightsSha256());
      session.dispose();
    }
    expect(shas[0]).toBe(shas[1]);
  });

  it('NaN in a weight reaches the loss in both loops, and training goes on', async () => {
    for (const mode of MODES) {
      const session = new Session({ engine, ...tiny, config: DEFAULT_RUN_CONFIG });
      session.setWeight('conv1.bias', 0, Number.NaN);
      const losses: number[] = [];
      await train(session, { steps: 2, mode, onStep: ({ loss }) => losses.push(loss) });
      expect(losses).toEqual([Number.NaN, Number.NaN]);
      expect(session.nonFinite).toMatchObject({ step: 1, tensor: 'conv1.bias' });
      session.dispose();
    }
  });

  it('an error that is no abandonment comes out of both loops, and leaves no buffer of fit() behind', async () => {
    for (const mode of MODES) {
      const session = new Session({ engine, ...tiny, config: DEFAULT_RUN_CONFIG });
      await train(session, { steps: 1, mode });
      const buffers = engine.liveBuffers();
      const broken = train(session, {
        steps: 3,
        mode,
        reached: ({ phase, layer }) => {
          if (phase === 'backward' && layer === 2) throw new Error('broken on purpose');
        },
      });
      await expect(broken).rejects.toThrow('broken on purpose');
      expect(engine.liveBuffers()).toBe(buffers);
      session.dispose();
    }
  });

  it('looking changes nothing: other passes and reads at every gate, inside tfjs as well', async () => {
    const { dataset } = tiny;
    const shas = new Set([await shaOf(tiny, { steps: 3 })]);
    for (const mode of MODES) {
      const session = new Session({ engine, ...tiny, config: DEFAULT_RUN_CONFIG });
      const table = normalisation(TINY_RECIPE.input);
      const { images, labels } = gatherMinibatch(dataset, dataset.test, [0], table);
      const pass = session.network.createPass();
      await train(session, {
        steps: 3,
        mode,
        reached: ({ phase, layer }) => {
          const { layers } = session.plan;
          pass.load(images, labels, 1);
          for (const each of layers) pass.forward(each, { mask: () => null });
          pass.loss();
          for (const each of layers.toReversed()) pass.backward(each, { parameters: false });
          if (phase === 'forward' && layer === 0) session.readLayer('conv1', 'activation');
        },
      });
      shas.add(session.weightsSha256());
      pass.dispose();
      session.dispose();
      expect(engine.liveBuffers()).toBe(0);
    }
    expect(shas.size).toBe(1);
  });

  it.each(MODES)(
    '%s: leaves at once when told to, also when the minibatch before was given up',
    async (mode) => {
      const session = new Session({ engine, ...tiny, config: DEFAULT_RUN_CONFIG });
      const buffers = engine.liveBuffers();
      let asked = 0;
      const loop = new LOOPS[mode](
        session,
        {
          beforeStep: () => (++asked === 2 ? 'leave' : 'go'),
          reached: () => {
            throw new StepAbandoned();
          },
        },
        () => expect.fail(),
      );
      await loop.run();
      expect(asked).toBe(2);
      expect(session).toMatchObject({ step: 0, inStep: false, minibatch: null, phase: null });
      // The pass keeps room for the minibatch that was begun.
      expect(engine.liveBuffers()).toBeGreaterThanOrEqual(buffers);
      asked = 1;
      const between = engine.liveBuffers();
      await loop.run();
      expect(asked).toBe(2);
      expect(engine.liveBuffers()).toBe(between);
      session.dispose();
    },
  );

  it('nothing is written to the console by tfjs', async () => {
    const written = (['log', 'warn', 'error'] as const).map((name) => vi.spyOn(console, name));
    await shaOf(tiny, { steps: 7, mode: 'fit', abandon: (gates) => gates === 50 });
    for (const spy of written) {
      expect(spy).not.toHaveBeenCalled();
      spy.mockRestore();
    }
  });
});

const FAST = ENGINE_NAMES.filter((name) => name !== 'cpu');

describeEngines(
  'on %s, with MNIST and dropout',
  (engineName) => {
    let engine: Engine;
    let dataset: Dataset;
    beforeAll(async () => {
      ({ engine } = await openEngine(engineName));
      dataset = openDataset({});
      return () => {
        engine.dispose();
      };
    });

    async function shaOf(recipe: Recipe, plan: Plan, seed = 1): Promise<string> {
      const session = new Session({ engine, dataset, recipe, config: { ...DEFAULT_RUN_CONFIG, seed } });
      const told = await train(session, plan);
      const sha = session.weightsSha256();
      session.dispose();
      expect(told.abandoned > 0).toBe(plan.abandon !== undefined);
      if (typeof plan.mode === 'function') expect(told.loops).toBe(8);
      return sha;
    }

    const steps = 200;
    const pytorch = recipeNamed('pytorch-paper');
    const keras = recipeNamed('keras-paper');
    const doubleSoftmax = recipeNamed('keras-double-softmax');

    // Smaller minibatches save time and change nothing of what is compared.
    it.each([pytorch, { ...keras, batchSize: 16 }, { ...doubleSoftmax, batchSize: 4 }])(
      '$name in minibatches of $batchSize: the same weights from both loops after 200 steps',
      async (recipe) => {
        const imperative = await shaOf(recipe, { steps, mode: 'imperative' });
        expect(await shaOf(recipe, { steps, mode: 'fit' })).toBe(imperative);
      },
    );

    it.each([
      { ...pytorch, batchSize: 4 },
      { ...keras, batchSize: 4 },
    ])(
      '$name in minibatches of $batchSize: the same when switched seven times and abandoned, another for another seed',
      async (recipe) => {
        const straight = await shaOf(recipe, { steps });
        expect(await shaOf(recipe, { steps, mode: switching(steps) })).toBe(straight);
        expect(await shaOf(recipe, { steps, mode: switching(steps), abandon: atRandom(4) })).toBe(straight);
        expect(await shaOf(recipe, { steps: 1 }, 2)).not.toBe(await shaOf(recipe, { steps: 1 }, 1));
      },
    );
  },
  FAST,
);
