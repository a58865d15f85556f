import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { planNetwork } from '../../src-shared/model/network';
import { DEFAULT_RUN_CONFIG } from '../../src-shared/model/run-config';
import { GradscopeError } from '../../src-shared/protocol/errors';
import { openEngine } from '../engine';
import type { Engine } from '../engine/engine';
import { TINY_RECIPE, tinyDataset } from '../testing/tiny-run';
import {
  EVERY_STEP_UNTIL,
  KernelHistory,
  LATER_INTERVAL,
  MOST_SAMPLES,
  type SampledSession,
} from './kernel-history';
import { Session } from './session';

const EPOCHS = 1000;
const dataset = tinyDataset();
const sessions: Session[] = [];
let engine: Engine;

beforeAll(async () => {
  ({ engine } = await openEngine('cpu'));
});
afterAll(() => {
  engine.dispose();
});
afterEach(() => {
  for (const session of sessions.splice(0)) session.dispose();
});

function tinySession(): Session {
  const config = { ...DEFAULT_RUN_CONFIG, epochs: EPOCHS };
  const session = new Session({ engine, dataset, recipe: TINY_RECIPE, config });
  sessions.push(session);
  return session;
}

function train(session: Session, history: KernelHistory | null): void {
  session.beginStep();
  session.zeroGradients();
  for (const layer of session.plan.layers) session.forward(layer);
  session.loss();
  for (const layer of session.plan.layers.toReversed()) session.backward(layer);
  session.update();
  session.finishStep();
  history?.stepFinished();
}

/** A session of one small layer that has only its counters: what is sampled when, over runs too long to train. */
function countingSession(): { session: SampledSession; goTo: (step: number) => void } {
  const plan = planNetwork({
    input: [1, 2, 2],
    layers: [
      { kind: 'flatten', name: 'flatten' },
      { kind: 'dense', name: 'fc1', units: 2 },
    ],
    loss: 'softmaxCrossEntropy',
  });
  let step = 0;
  const copy = () => ({ values: Float32Array.of(step, 0, 0, 0, 2 * step, 0, 0, 0), step });
  const session = {
    plan,
    inStep: false,
    stepInPass: null,
    get step() {
      return step;
    },
    mirror: () => ({ weight: copy(), gradient: copy(), update: copy() }),
    readLayer: () => ({ shape: [], values: new Float32Array() }),
  } as unknown as SampledSession;
  return {
    session,
    goTo: (to) => {
      step = to;
    },
  };
}

const l2 = (values: Iterable<number>): number => Math.sqrt([...values].reduce((sum, v) => sum + v * v, 0));

describe('the history of a kernel', () => {
  it('has the norms that its weights, gradients and updates had at each step', () => {
    const session = tinySession();
    const history = new KernelHistory(session);
    const seen: { weight: number[]; gradient: number[]; update: number[] } = {
      weight: [],
      gradient: [],
      update: [],
    };
    const place = { layer: 'conv1', filter: 2, input: 0 };
    let before = session.mirror('conv1.weight').weight.values.slice(18, 27);
    const initial = l2(before);
    for (let step = 1; step <= EVERY_STEP_UNTIL; step++) {
      train(session, history);
      const { weight, gradient } = session.mirror('conv1.weight');
      const after = weight.values.slice(18, 27);
      seen.weight.push(l2(after));
      seen.gradient.push(l2(gradient.values.slice(18, 27)));
      seen.update.push(l2(after.map((value, i) => value - before[i]!)));
      before = after;
    }
    const series = history.read(place);
    expect([...series.steps]).toEqual(Array.from({ length: EVERY_STEP_UNTIL + 1 }, (_, step) => step));
    expect(series.weightNorms[0]).toBeCloseTo(initial, 6);
    expect([...series.gradientNorms].slice(0, 1), 'a gradient before the first step').toEqual([Number.NaN]);
    for (let k = 0; k < EVERY_STEP_UNTIL; k++) {
      expect(series.weightNorms[k + 1]).toBeCloseTo(seen.weight[k]!, 5);
      expect(series.gradientNorms[k + 1]).toBeCloseTo(seen.gradient[k]!, 5);
      expect(series.updateNorms[k + 1]).toBeCloseTo(seen.update[k]!, 5);
    }
  });

  it('counts the outputs after the ReLU of that filter, over the whole minibatch', () => {
    const session = tinySession();
    const history = new KernelHistory(session);
    train(session, history);
    const { shape, values } = session.readLayer('relu1', 'activation');
    const [n = 0, channels = 0, height = 0, width = 0] = shape;
    expect(channels, 'filters of conv1').toBe(3);
    for (let filter = 0; filter < channels; filter++) {
      let active = 0;
      for (let example = 0; example < n; example++) {
        for (let at = 0; at < height * width; at++) {
          if (values[(example * channels + filter) * height * width + at]! > 0) active += 1;
        }
      }
      const series = history.read({ layer: 'conv1', filter, input: 0 });
      expect(series.activeAfter).toBe('relu1');
      expect(series.activeShares[1]).toBeCloseTo(active / (n * height * width), 6);
    }
    const logits = history.read({ layer: 'fc1', filter: 3, input: null });
    expect(logits.activeAfter, 'no ReLU follows the last layer').toBeNull();
    expect(logits.activeShares[1]).toBeNaN();
  });

  it('ends with the last step also where that was no sample, and inside a step with the sample before', () => {
    const session = tinySession();
    const history = new KernelHistory(session);
    const steps = LATER_INTERVAL + 3;
    for (let step = 1; step <= steps; step++) train(session, history);
    const place = { layer: 'fc1', filter: 0, input: null };
    const series = history.read(place);
    expect(series.steps.at(-1)).toBe(steps);
    const inputs = session.mirror('fc1.weight').weight.values.length / 10;
    const unit = session.mirror('fc1.weight').weight.values.slice(0, inputs);
    expect(series.weightNorms.at(-1)).toBeCloseTo(l2(unit), 5);
    session.beginStep();
    expect(history.read(place).steps.at(-1), 'half a step has half its numbers').toBe(LATER_INTERVAL);
  });

  // Catches: a curve that begins at weights from which nothing was trained, as others were loaded.
  it('has the norms of weights that were loaded or set by hand, whether or not their step is a sample', () => {
    for (const steps of [0, 1, LATER_INTERVAL + 3]) {
      const session = tinySession();
      const history = new KernelHistory(session);
      for (let step = 1; step <= steps; step++) train(session, history);
      const place = { layer: 'conv1', filter: 1, input: 0 };
      const { updateNorms, activeShares } = history.read(place);
      session.setWeight('conv1.weight', 9, 100);
      history.weightsChanged();
      const series = history.read(place);
      expect(series.steps.at(-1)).toBe(steps);
      expect(series.weightNorms.at(-1), `after ${String(steps)} steps`).toBeCloseTo(
        l2(session.mirror('conv1.weight').weight.values.slice(9, 18)),
        4,
      );
      expect([series.updateNorms, series.activeShares], 'what the step did').toEqual([
        updateNorms,
        activeShares,
      ]);
    }
  });

  it('disturbs nothing: the weights are those of a run without it', () => {
    const watched = tinySession();
    const alone = tinySession();
    const history = new KernelHistory(watched);
    for (let step = 1; step <= 40; step++) {
      train(watched, history);
      if (step % 7 === 0) {
        const before = watched.weightsSha256();
        history.read({ layer: 'conv1', filter: 1, input: 0 });
        expect(watched.weightsSha256()).toBe(before);
      }
      train(alone, null);
    }
    expect(watched.weightsSha256()).toBe(alone.weightsSha256());
  });

  it.each([
    [
      { layer: 'conv9', filter: 0, input: 0 },
      'There is no layer with weights called conv9; there is conv1, fc1.',
    ],
    [
      { layer: 'relu1', filter: 0, input: 0 },
      'There is no layer with weights called relu1; there is conv1, fc1.',
    ],
    [{ layer: 'conv1', filter: 3, input: 0 }, 'conv1 has filters 0 to 2, but number 3 was asked for.'],
    [{ layer: 'conv1', filter: 0, input: 1 }, 'conv1 has inputs 0 to 0, but number 1 was asked for.'],
    [{ layer: 'conv1', filter: 0, input: null }, 'conv1 has inputs 0 to 0, but none was asked for.'],
    [{ layer: 'fc1', filter: 10, input: null }, 'fc1 has units 0 to 9, but number 10 was asked for.'],
    [
      { layer: 'fc1', filter: 1, input: 4 },
      "fc1 is dense: a unit's inputs are one kernel, but input 4 was asked for.",
    ],
  ])('refuses %o in one sentence', (place, sentence) => {
    const history = new KernelHistory(tinySession());
    expect(() => history.read(place)).toThrow(new GradscopeError('unknown-tensor', sentence));
  });
});

describe('which steps are kept', () => {
  it('covers a run of any length from step 0 to its end, evenly, in a fixed number of samples', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60_000 }), (length) => {
        const { session, goTo } = countingSession();
        const history = new KernelHistory(session);
        const { bytes } = history;
        for (let step = 1; step <= length; step++) {
          goTo(step);
          history.stepFinished();
        }
        const { steps, weightNorms } = history.read({ layer: 'fc1', filter: 1, input: null });
        expect(history.samples.length).toBeLessThanOrEqual(MOST_SAMPLES);
        expect(history.bytes, 'memory that grows with the run').toBe(bytes);
        expect(steps[0]).toBe(0);
        expect(steps.at(-1)).toBe(length);
        for (let k = 1; k < steps.length; k++) {
          const gap = steps[k]! - steps[k - 1]!;
          expect(gap).toBeGreaterThan(0);
          // Just after the interval has doubled half the samples are left, those of the dense beginning among what it halved.
          const fewest = (MOST_SAMPLES - EVERY_STEP_UNTIL) / 2 - 1;
          expect(gap).toBeLessThanOrEqual(Math.max(LATER_INTERVAL, length / fewest));
          expect(weightNorms[k], 'a value that slipped to another step').toBe(2 * steps[k]!);
        }
      }),
      { numRuns: 12, examples: [[7200]] },
    );
  });

  it('forgets what a run that was taken back has not reached again', () => {
    const { session, goTo } = countingSession();
    const history = new KernelHistory(session);
    for (let step = 1; step <= 20; step++) {
      goTo(step);
      history.stepFinished();
    }
    goTo(12);
    history.stepFinished();
    expect(history.samples.at(-1)).toBe(12);
    expect(history.samples).toHaveLength(13);
  });
});
