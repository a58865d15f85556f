import { createHash } from 'node:crypto';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { initialValues } from '../../src-shared/model/initialise';
import type { Recipe } from '../../src-shared/model/recipe';
import { DEFAULT_RUN_CONFIG } from '../../src-shared/model/run-config';
import type { Freshness } from '../../src-shared/protocol/messages';
import { l2Norm } from '../../src-shared/tensor/statistics';
import { openEngine } from '../engine';
import type { Engine } from '../engine/engine';
import { TINY_RECIPE, tinyDataset } from '../testing/tiny-run';
import { Session, type SessionOptions, type StepRecord } from './session';

const dataset = tinyDataset();
const sessions: Session[] = [];
let engine: Engine;

beforeAll(async () => {
  ({ engine } = await openEngine('cpu'));
  return () => {
    engine.dispose();
  };
});

afterEach(() => {
  for (const session of sessions.splice(0)) session.dispose();
  expect(engine.liveBuffers()).toBe(0);
});

function sessionOf(config: Partial<SessionOptions['config']> = {}, recipe: Recipe = TINY_RECIPE): Session {
  const session = new Session({ engine, dataset, recipe, config: { ...DEFAULT_RUN_CONFIG, ...config } });
  sessions.push(session);
  return session;
}

/** The parts of a step up to its update, one after the other; any prefix of it can be abandoned. */
function* partsOf(session: Session): Generator<undefined, undefined> {
  const { layers } = session.plan;
  session.beginStep();
  yield;
  session.zeroGradients();
  yield;
  for (const layer of layers) {
    session.forward(layer);
    yield;
  }
  session.loss();
  yield;
  for (const layer of layers.toReversed()) {
    session.backward(layer);
    yield;
  }
  return undefined;
}

/** A whole step but its update. Returns the number of parts. */
const toUpdate = (session: Session): number => [...partsOf(session)].length;

function doStep(session: Session): StepRecord {
  toUpdate(session);
  session.update();
  return session.finishStep();
}

function doSteps(session: Session, count: number): StepRecord[] {
  return Array.from({ length: count }, () => doStep(session));
}

/** Everything that can be seen of a session, as values. */
function seen(session: Session): unknown {
  const { step, epoch, stepInEpoch, phase, minibatch, epochDone, runDone, inStep } = session;
  const mirrors = session.plan.parameters.map(({ name }) => structuredClone(session.mirror(name)));
  return { step, epoch, stepInEpoch, phase, minibatch, epochDone, runDone, inStep, mirrors };
}

const marksOf = (session: Session, name: string): [Freshness, number, string | null][] => {
  const { weight, gradient, update } = session.mirror(name);
  return [weight, gradient, update].map((copy) => [copy.freshness, copy.step, copy.phase]);
};

describe('a new session', () => {
  it('stands before its first step with the initial weights, and nothing else is known', () => {
    const session = sessionOf({ seed: 3 });
    expect(session).toMatchObject({
      step: 0,
      epoch: 1,
      stepInEpoch: 0,
      stepsPerEpoch: 6,
      phase: null,
      minibatch: null,
    });
    const first = session.plan.parameters[0] ?? expect.fail();
    expect(session.mirror('conv1.weight').weight.values).toEqual(initialValues('torchDefault', first, 3));
    expect(marksOf(session, 'conv1.weight')).toEqual([
      ['fresh', 0, null],
      ['notYet', 0, null],
      ['notYet', 0, null],
    ]);
  });

  it('refuses a network that the images do not fit', () => {
    const network = { ...TINY_RECIPE.network, input: [1, 28, 28] as [number, number, number] };
    expect(() => sessionOf({}, { ...TINY_RECIPE, network })).toThrow(
      expect.objectContaining({
        code: 'bad-config',
        message:
          'The network takes images of 1 x 28 x 28 and tells 10 classes apart, but tiny has 1 x 8 x 8 and 10.',
      }),
    );
  });

  it('trains on images of three channels', () => {
    const noise = Uint8Array.from({ length: 10 * 3 * 8 * 8 }, (_, i) => (i * 89) % 256);
    const set = { count: 10, pixels: noise, labels: Uint8Array.from({ length: 10 }, (_, i) => i) };
    const colour = { ...dataset, name: 'colour', channels: 3, train: set, test: set };
    const network = { ...TINY_RECIPE.network, input: [3, 8, 8] as [number, number, number] };
    const recipe = { ...TINY_RECIPE, network };
    const session = new Session({
      engine,
      dataset: colour,
      recipe,
      config: { ...DEFAULT_RUN_CONFIG, dropout: false },
    });
    sessions.push(session);
    expect(doSteps(session, 2).every(({ loss }) => Number.isFinite(loss))).toBe(true);
    toUpdate(session);
    expect(session.readExample('input', 'activation', 0)).toMatchObject({ shape: [3, 8, 8] });
    const { values } = session.mirror('conv1.weight').gradient;
    for (const channel of [0, 1, 2]) {
      const ofChannel = values.filter((_, i) => Math.floor(i / 9) % 3 === channel);
      expect(l2Norm(ofChannel)).toBeGreaterThan(0);
    }
    session.abandonStep();
    expect(() => sessionOf({}, recipe)).toThrow(expect.objectContaining({ code: 'bad-config' }));
  });

  it('refuses an order that names an image there is not', () => {
    expect(() => sessionOf({ order: [[0], [44]] })).toThrow(expect.objectContaining({ code: 'bad-order' }));
  });
});

describe('freshness', () => {
  it('says of every tensor which step and phase it is of, through two steps', () => {
    const session = sessionOf();
    doStep(session);
    expect(marksOf(session, 'conv1.weight')).toEqual([
      ['fresh', 1, 'step'],
      ['fresh', 1, 'backward'],
      ['fresh', 1, 'step'],
    ]);
    const { layers } = session.plan;
    session.beginStep();
    session.zeroGradients();
    expect(marksOf(session, 'conv1.weight')).toEqual([
      ['fresh', 1, 'step'],
      ['cleared', 2, 'zeroGrad'],
      ['old', 1, 'step'],
    ]);
    expect(l2Norm(session.mirror('conv1.weight').gradient.values)).toBe(0);
    for (const layer of layers) session.forward(layer);
    session.loss();
    // The last layer's gradient is there, the first one's is not yet.
    session.backward(layers.at(-1) ?? expect.fail());
    expect(marksOf(session, 'fc1.bias')[1]).toEqual(['fresh', 2, 'backward']);
    expect(marksOf(session, 'conv1.weight')[1]).toEqual(['cleared', 2, 'zeroGrad']);
    for (const layer of layers.slice(0, -1).reverse()) session.backward(layer);
    expect(marksOf(session, 'conv1.weight')).toEqual([
      ['fresh', 1, 'step'],
      ['fresh', 2, 'backward'],
      ['old', 1, 'step'],
    ]);
    session.update();
    expect(marksOf(session, 'conv1.weight')).toEqual([
      ['fresh', 2, 'step'],
      ['fresh', 2, 'backward'],
      ['fresh', 2, 'step'],
    ]);
  });

  it('names each phase as it is finished', () => {
    const session = sessionOf();
    const phases: (string | null)[] = [];
    const note = (): void => {
      if (phases.at(-1) !== session.phase) phases.push(session.phase);
    };
    const work = partsOf(session);
    while (work.next().done !== true) note();
    note();
    session.update();
    note();
    expect(phases).toEqual([null, 'zeroGrad', 'forward', 'loss', 'backward', 'step']);
  });
});

describe('a step', () => {
  it('gives g, dW and W of one step, by the rule of SGD with momentum in float32', () => {
    const session = sessionOf();
    const { fround } = Math;
    const velocity = new Map(session.plan.parameters.map(({ name, size }) => [name, new Float32Array(size)]));
    for (let step = 0; step < 3; step++) {
      const before = new Map(
        session.plan.parameters.map(({ name }) => [name, session.mirror(name).weight.values.slice()]),
      );
      doStep(session);
      for (const { name } of session.plan.parameters) {
        const { weight, gradient, update } = session.mirror(name);
        expect(l2Norm(gradient.values)).toBeGreaterThan(0);
        const w = before.get(name) ?? expect.fail();
        const v = velocity.get(name) ?? expect.fail();
        for (const [i, g] of gradient.values.entries()) {
          v[i] = fround(fround(fround(0.5) * v[i]!) + g);
          const after = fround(w[i]! + fround(fround(-0.1) * v[i]));
          expect(weight.values[i]).toBe(after);
          expect(update.values[i]).toBe(fround(after - w[i]!));
        }
      }
    }
  });

  it('records the norms of weights, gradients and updates, layer by layer, without biases', () => {
    const session = sessionOf();
    const record = doStep(session);
    for (const [i, name] of ['conv1.weight', 'fc1.weight'].entries()) {
      const { weight, gradient, update } = session.mirror(name);
      expect(record.weightNorms[i]).toBe(l2Norm(weight.values));
      expect(record.gradientNorms[i]).toBe(l2Norm(gradient.values));
      expect(record.updateNorms[i]).toBe(l2Norm(update.values));
    }
    expect(record.weightNorms).toHaveLength(2);
  });

  it('weighs the running loss by examples and starts it anew each epoch', () => {
    const session = sessionOf();
    const records = doSteps(session, 7);
    const sizes = [8, 8, 8, 8, 8, 4];
    const mean = records.slice(0, 6).reduce((sum, { loss }, i) => sum + loss * sizes[i]!, 0) / 44;
    expect(records[5]?.runningLoss).toBeCloseTo(mean, 12);
    expect(records[5]!.runningAccuracy * 44).toBeCloseTo(Math.round(records[5]!.runningAccuracy * 44), 9);
    expect(records[6]?.runningLoss).toBe(records[6]?.loss);
  });

  it('walks through the epochs and stops when they are over, until more are asked for', () => {
    const session = sessionOf({ epochs: 1 });
    const indices: number[] = [];
    for (let i = 0; i < 6; i++) {
      doStep(session);
      indices.push(...(session.minibatch?.indices ?? []));
    }
    expect(indices.sort((a, b) => a - b)).toEqual(Array.from({ length: 44 }, (_, i) => i));
    expect(session).toMatchObject({ step: 6, epoch: 1, stepInEpoch: 6, epochDone: true, runDone: true });
    expect(() => session.beginStep()).toThrow(expect.objectContaining({ code: 'not-now' }));
    session.extend(1);
    expect(session.runDone).toBe(false);
    doStep(session);
    expect(session).toMatchObject({ step: 7, epoch: 2, stepInEpoch: 1, epochDone: false });
  });

  it('takes listed minibatches as they are', () => {
    const session = sessionOf({ order: [[5, 5, 1], [2]] });
    doStep(session);
    expect(session.minibatch).toEqual({ step: 1, indices: [5, 5, 1] });
    doStep(session);
    expect(session.minibatch).toEqual({ step: 2, indices: [2] });
    expect(session).toMatchObject({ stepsPerEpoch: 2, epochDone: true });
  });

  it('drops nothing when dropout is off', () => {
    const session = sessionOf({ dropout: false });
    toUpdate(session);
    expect(session.readLayer('dropout1', 'activation').values).toEqual(
      session.readLayer('conv1', 'activation').values,
    );
  });

  it('cannot be done in another order', () => {
    const session = sessionOf();
    expect(() => session.zeroGradients()).toThrow('No step is under way');
    session.beginStep();
    expect(() => session.beginStep()).toThrow('A step cannot begin within a step');
    expect(() => session.update()).toThrow('An update needs the whole backward pass');
    expect(() => session.finishStep()).toThrow('A step is finished by its update');
  });
});

describe('abandonStep', () => {
  it('puts everything back, wherever in the step, and the step done again gives the same numbers', () => {
    const undisturbed = sessionOf();
    const disturbed = sessionOf();
    const parts = toUpdate(sessionOf());
    // From the first step, within an epoch, and from the last step of an epoch into the next.
    for (let step = 1; step <= 7; step++) {
      const before = seen(disturbed);
      for (let part = 0; part < parts; part++) {
        const work = partsOf(disturbed);
        for (let done = 0; done <= part; done++) work.next();
        disturbed.abandonStep();
        expect(seen(disturbed)).toEqual(before);
      }
      expect(doStep(disturbed)).toEqual(doStep(undisturbed));
      expect(disturbed.weightsSha256()).toBe(undisturbed.weightsSha256());
    }
  });

  it('is refused once the update has begun', () => {
    const session = sessionOf();
    toUpdate(session);
    session.update();
    expect(() => {
      session.abandonStep();
    }).toThrow('cannot be given up');
  });
});

describe('weights in and out', () => {
  it('hashes exactly the data section of the file it exports', () => {
    const session = sessionOf();
    doStep(session);
    const file = Buffer.from(session.exportWeights());
    const data = file.subarray(8 + Number(file.readBigUInt64LE(0)));
    expect(session.weightsSha256()).toBe(createHash('sha256').update(data).digest('hex'));
  });

  it('exports what the engine holds', () => {
    const session = sessionOf();
    doSteps(session, 2);
    for (const parameter of session.plan.parameters) {
      const held = new Float32Array(parameter.size);
      session.network.readParameter(parameter, 'weight', held);
      expect(session.mirror(parameter.name).weight.values).toEqual(held);
    }
  });

  it('imports weights, clears the momentum, and calls the gradient and update of before old', () => {
    const source = sessionOf({ seed: 2 });
    doSteps(source, 2);
    const session = sessionOf();
    doSteps(session, 3);
    session.importWeights(source.exportWeights(), 'w.safetensors');
    expect(session.weightsSha256()).toBe(source.weightsSha256());
    expect(marksOf(session, 'fc1.weight')).toEqual([
      ['fresh', 3, null],
      ['old', 3, 'backward'],
      ['old', 3, 'step'],
    ]);
    const momentum = new Float32Array(10);
    session.network.readParameter(session.plan.parameters.at(-1) ?? expect.fail(), 'momentum', momentum);
    expect(l2Norm(momentum)).toBe(0);
    expect(session.step).toBe(3);
  });

  it('refuses a bad file and goes on as if nothing had been', () => {
    const session = sessionOf();
    const other = sessionOf();
    doStep(session);
    doStep(other);
    const before = seen(session);
    const file = session.exportWeights().subarray(0, -4);
    expect(() => {
      session.importWeights(file, 'w.safetensors');
    }).toThrow(expect.objectContaining({ code: 'bad-weights' }));
    expect(seen(session)).toEqual(before);
    expect(doStep(session)).toEqual(doStep(other));
  });

  it('refuses to replace weights within a step', () => {
    const session = sessionOf();
    const file = session.exportWeights();
    session.beginStep();
    expect(() => {
      session.importWeights(file, 'w.safetensors');
    }).toThrow(expect.objectContaining({ code: 'not-now' }));
  });

  it('sets one value by hand: the copy and the engine agree, and dW is counted from it', () => {
    const session = sessionOf();
    doStep(session);
    session.setWeight('fc1.bias', 3, 0.25);
    expect(marksOf(session, 'fc1.bias')[2]).toEqual(['old', 1, 'step']);
    doStep(session);
    const { weight, update } = session.mirror('fc1.bias');
    expect(update.values[3]).toBe(Math.fround(weight.values[3]! - 0.25));
  });

  it.each([
    ['conv9.weight', 0],
    ['fc1.bias', 10],
    ['fc1.bias', -1],
    ['fc1.bias', 0.5],
  ])('refuses to set %s at %d', (name, index) => {
    const session = sessionOf();
    const sha = session.weightsSha256();
    expect(() => {
      session.setWeight(name, index, 1);
    }).toThrow(expect.objectContaining({ code: 'unknown-tensor' }));
    expect(session.weightsSha256()).toBe(sha);
  });
});

describe('NaN and infinity', () => {
  it.each(['conv1.weight', 'conv1.bias', 'fc1.weight', 'fc1.bias'])(
    'in %s reach the loss and are reported there',
    (name) => {
      const session = sessionOf({ dropout: false });
      doStep(session);
      session.setWeight(name, 1, Number.NaN);
      expect(session.nonFinite).toBeNull();
      expect(doStep(session).loss).toBeNaN();
      const layer = name.slice(0, name.indexOf('.'));
      const place = { step: 2, phase: 'forward', layer, tensor: name, kind: 'weight' };
      expect(session.nonFinite).toEqual({ ...place, nan: 1, infinite: 0 });
    },
  );

  it('that arise in a layer are reported as its output, once', () => {
    const session = sessionOf({ dropout: false });
    session.setWeight('fc1.weight', 0, 3e38);
    session.setWeight('fc1.weight', 1, 3e38);
    session.setWeight('conv1.bias', 0, 100);
    doStep(session);
    const report = session.nonFinite;
    expect(report).toMatchObject({ step: 1, phase: 'forward', tensor: 'fc1' });
    doStep(session);
    expect(session.nonFinite).toBe(report);
  });

  it('that arise in the update are reported there', () => {
    const recipe = { ...TINY_RECIPE, optimiser: { ...TINY_RECIPE.optimiser, learningRate: 1e39 } };
    const session = sessionOf({}, recipe);
    expect(Number.isFinite(doStep(session).loss)).toBe(true);
    expect(session.nonFinite).toMatchObject({ step: 1, phase: 'step', tensor: 'conv1.weight' });
  });
});

describe('readLayer', () => {
  it('gives outputs, errors and masks of the whole minibatch once they are computed', () => {
    const session = sessionOf();
    const { layers } = session.plan;
    const notYet = expect.objectContaining({ code: 'not-now' }) as Error;
    session.beginStep();
    expect(() => session.readLayer('conv1', 'activation')).toThrow(notYet);
    for (const layer of layers.slice(0, 2)) session.forward(layer);
    expect(session.readLayer('conv1', 'activation').shape).toEqual([8, 3, 6, 6]);
    const mask = session.readLayer('dropout1', 'mask');
    expect(mask).toMatchObject({ shape: [8, 3], step: 1, phase: 'forward' });
    const [before, after] = ['conv1', 'dropout1'].map((name) => session.readLayer(name, 'activation').values);
    expect(after).toEqual(before?.map((value, i) => Math.fround(value * mask.values[Math.floor(i / 36)]!)));
    expect(() => session.readLayer('fc1', 'activation')).toThrow(notYet);
    for (const layer of layers.slice(2)) session.forward(layer);
    expect(session.readLayer('dropout2', 'mask').shape).toEqual([8, 27]);
    expect(() => session.readLayer('fc1', 'error')).toThrow(notYet);
    session.loss();
    const error = session.readLayer('fc1', 'error');
    expect(error).toMatchObject({ shape: [8, 10], phase: 'loss' });
    // softmax - one-hot: each row adds up to nothing.
    expect(error.values.subarray(0, 10).reduce((sum, value) => sum + value, 0)).toBeCloseTo(0, 6);
    expect(() => session.readLayer('dropout2', 'error')).toThrow(notYet);
    for (const layer of layers.toReversed()) session.backward(layer);
    expect(session.readLayer('conv1', 'error')).toMatchObject({ shape: [8, 3, 6, 6], phase: 'backward' });
  });

  it('keeps the last minibatch until the next begins, and none that was given up', () => {
    const session = sessionOf();
    doStep(session);
    expect(session.readLayer('fc1', 'activation').step).toBe(1);
    session.beginStep();
    session.abandonStep();
    expect(() => session.readLayer('fc1', 'activation')).toThrow(
      expect.objectContaining({ code: 'not-now' }),
    );
  });

  it('knows no other layers, and masks of dropout layers only', () => {
    const session = sessionOf({ dropout: false });
    doStep(session);
    const unknown = expect.objectContaining({ code: 'unknown-tensor' }) as Error;
    expect(() => session.readLayer('conv9', 'activation')).toThrow(unknown);
    expect(() => session.readLayer('conv1', 'mask')).toThrow(unknown);
    expect(() => session.readLayer('dropout1', 'mask')).toThrow(unknown);
  });
});
