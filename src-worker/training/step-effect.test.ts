import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { LayerPlan } from '../../src-shared/model/network';
import type { Recipe } from '../../src-shared/model/recipe';
import { DEFAULT_RUN_CONFIG } from '../../src-shared/model/run-config';
import { openEngine } from '../engine';
import type { Engine } from '../engine/engine';
import { TINY_RECIPE, tinyDataset } from '../testing/tiny-run';
import { Session, type FinishedStep, type StepRecord } from './session';
import { fitCurvature, measureStep, SHARES, type StepEffect } from './step-effect';

const dataset = tinyDataset();

describe('the parabola', () => {
  it('of a loss that is one is found again', () => {
    const parameter = fc.double({ min: -10, max: 10, noNaN: true });
    fc.assert(
      fc.property(parameter, parameter, parameter, (start, slope, curvature) => {
        const points = SHARES.map((share) => ({
          share,
          loss: start + slope * share + (curvature * share ** 2) / 2,
        }));
        expect(fitCurvature(points, slope)).toBeCloseTo(curvature, 8);
      }),
    );
  });

  it('does not exist where a loss is no finite number', () => {
    const at = (loss: number): number =>
      fitCurvature(
        [
          { share: 0, loss: 1 },
          { share: 1, loss: 2 },
          { share: 2, loss },
        ],
        1,
      );
    expect([at(Infinity), at(Number.NaN)]).toEqual([Number.NaN, Number.NaN]);
  });
});

describe.each(['cpu', 'simd', 'wasm'] as const)('the effect of a step on %s', (name) => {
  let engine: Engine;
  beforeAll(async () => {
    ({ engine } = await openEngine(name));
    return () => {
      engine.dispose();
    };
  });

  const sessionOf = (recipe: Recipe, seed: number): Session =>
    new Session({ engine, dataset, recipe, config: { ...DEFAULT_RUN_CONFIG, seed, epochs: 100 } });

  function train(session: Session): StepRecord {
    session.beginStep();
    session.zeroGradients();
    for (const layer of session.plan.layers) session.forward(layer);
    session.loss();
    for (const layer of session.plan.layers.toReversed()) session.backward(layer);
    session.update();
    return session.finishStep();
  }

  function lastStepOf(session: Session): FinishedStep {
    const finished = session.lastStep();
    if (finished === null) throw new Error('No step is finished.');
    return finished;
  }

  function measure(session: Session): StepEffect {
    const scratch = engine.createNetwork(session.plan);
    const measuring = measureStep(scratch, lastStepOf(session));
    let next = measuring.next();
    while (next.done !== true) next = measuring.next();
    scratch.dispose();
    return next.value;
  }

  /** Loss at W + a dW, computed without any of the code under test. */
  function lossAt(
    session: Session,
    { images, labels, context, parameters }: FinishedStep,
    a: number,
  ): number {
    const network = engine.createNetwork(session.plan);
    for (const { parameter, weightBefore, update } of parameters) {
      const moved = weightBefore.map((value, i) => value + a * update[i]!);
      network.writeParameter(parameter, moved);
    }
    const pass = network.createPass();
    pass.load(images, labels, labels.length);
    for (const layer of session.plan.layers) pass.forward(layer, context);
    const { loss } = pass.loss();
    network.dispose();
    return loss;
  }

  const lossOf = ({ points }: StepEffect, share: number): number | undefined =>
    points.find((point) => point.share === share)?.loss;

  it('has the loss of the step itself before it, bit for bit, in full and in short minibatches, dropout on', () => {
    const session = sessionOf(TINY_RECIPE, 3);
    const sizes = new Set<number>();
    for (let step = 1; step <= session.stepsPerEpoch; step += 1) {
      const { loss } = train(session);
      const effect = measure(session);
      sizes.add(effect.examples);
      expect([effect.step, lossOf(effect, 0)]).toEqual([step, loss]);
    }
    expect([...sizes]).toEqual([8, 4]);
    session.dispose();
  });

  it('has the loss of the weights as they are after it', () => {
    const session = sessionOf(TINY_RECIPE, 4);
    train(session);
    const { images, labels, context } = lastStepOf(session);
    const pass = session.network.createPass();
    pass.load(images, labels, labels.length);
    for (const layer of session.plan.layers) pass.forward(layer, context);
    expect(lossOf(measure(session), 1)).toBe(pass.loss().loss);
    session.dispose();
  });

  it('promises g . dW, which is the derivative of the loss along the step', () => {
    const isSmooth = ({ kind }: { kind: string }): boolean => kind !== 'maxPool2d' && kind !== 'relu';
    const smooth: Recipe = {
      ...TINY_RECIPE,
      optimiser: { kind: 'sgd', learningRate: 0.02, momentum: 0.5, nesterov: false, weightDecay: 0 },
      network: { ...TINY_RECIPE.network, layers: TINY_RECIPE.network.layers.filter(isSmooth) },
    };
    fc.assert(
      fc.property(fc.nat(1000), fc.integer({ min: 1, max: 7 }), (seed, steps) => {
        const session = sessionOf(smooth, seed);
        for (let step = 0; step < steps; step += 1) train(session);
        const { slope, slopes } = measure(session);
        const finished = lastStepOf(session);
        const difference = (h: number): number =>
          (lossAt(session, finished, h) - lossAt(session, finished, -h)) / (2 * h);
        // Richardson's extrapolation: what is left is of fourth order in h.
        const derivative = (4 * difference(0.05) - difference(0.1)) / 3;
        expect(Math.abs(slope - derivative)).toBeLessThan(1e-3 * Math.abs(slope) + 1e-5);
        expect(slopes.map(({ layer }) => layer)).toEqual(['conv1', 'fc1']);
        expect(slopes.reduce((sum, layer) => sum + layer.slope, 0)).toBeCloseTo(slope, 12);
        session.dispose();
      }),
      { numRuns: 20 },
    );
  });

  it('is measured at the minimum of the parabola too where that lies not far beyond the step', () => {
    const slow: Recipe = {
      ...TINY_RECIPE,
      optimiser: { kind: 'sgd', learningRate: 0.01, momentum: 0, nesterov: false, weightDecay: 0 },
    };
    let beyond = 0;
    for (let seed = 0; seed < 20; seed += 1) {
      const session = sessionOf(slow, seed);
      train(session);
      const { points, slope, curvature } = measure(session);
      const minimum = -slope / curvature;
      const isBeyond = curvature > 0 && minimum > 2 && minimum <= 8;
      const far = points.slice(SHARES.length).map(({ share }) => share);
      expect(far).toEqual(isBeyond ? [(2 + minimum) / 2, minimum] : []);
      if (isBeyond) beyond += 1;
      session.dispose();
    }
    expect(beyond).toBeGreaterThan(0);
  });

  it('is of the same step from inside the next one, whose gradient is cleared by then', () => {
    const session = sessionOf(TINY_RECIPE, 5);
    train(session);
    const effect = measure(session);
    session.beginStep();
    session.zeroGradients();
    for (const layer of session.plan.layers) session.forward(layer);
    expect(measure(session)).toEqual(effect);
    session.abandonStep();
    expect(measure(session)).toEqual(effect);
    session.dispose();
  });

  it('goes on from its own copies while training goes on', () => {
    const session = sessionOf(TINY_RECIPE, 6);
    train(session);
    const effect = measure(session);
    const scratch = engine.createNetwork(session.plan);
    const measuring = measureStep(scratch, lastStepOf(session));
    let next = measuring.next();
    while (next.done !== true) {
      train(session);
      next = measuring.next();
    }
    expect(next.value).toEqual(effect);
    scratch.dispose();
    session.dispose();
  });

  it('cannot be known when the weights were set by hand since', () => {
    const session = sessionOf(TINY_RECIPE, 7);
    expect(session.lastStep()).toBeNull();
    train(session);
    session.setWeight('fc1.bias', 0, 1);
    expect(session.lastStep()).toBeNull();
    session.beginStep();
    expect(session.lastStep()).toBeNull();
    session.abandonStep();
    train(session);
    expect(session.lastStep()?.step).toBe(2);
    session.importWeights(session.exportWeights(), 'same');
    expect(session.lastStep()).toBeNull();
    session.dispose();
  });

  it('is measured without a bit of weights, momentum, gradients or masks changing, and leaves no buffer', () => {
    const free = sessionOf(TINY_RECIPE, 8);
    const looked = sessionOf(TINY_RECIPE, 8);
    const forward = (session: Session, layer: LayerPlan): void => {
      session.forward(layer);
      if (session === looked && session.step > 0) measure(session);
    };
    let buffers = 0;
    for (let step = 0; step < 5; step += 1) {
      for (const session of [free, looked]) {
        session.beginStep();
        session.zeroGradients();
        for (const layer of session.plan.layers) forward(session, layer);
        session.loss();
        for (const layer of session.plan.layers.toReversed()) session.backward(layer);
        session.update();
        session.finishStep();
      }
      measure(looked);
      for (const { name } of looked.plan.parameters) {
        expect(looked.mirror(name)).toEqual(free.mirror(name));
      }
      if (step === 1) buffers = engine.liveBuffers();
    }
    expect(looked.weightsSha256()).toBe(free.weightsSha256());
    // The second minibatch has the size of all the others of these steps.
    expect(engine.liveBuffers()).toBe(buffers);
    free.dispose();
    looked.dispose();
  });
});
