import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_RUN_CONFIG } from '../../src-shared/model/run-config';
import type { Evaluation } from '../../src-shared/protocol/messages';
import { openEngine } from '../engine';
import type { Engine } from '../engine/engine';
import { TINY_RECIPE, tinyDataset } from '../testing/tiny-run';
import { testSession } from './evaluation';
import { Meter } from './meter';
import { Session } from './session';
import { TestRuns } from './test-runs';

let engine: Engine;
beforeAll(async () => {
  ({ engine } = await openEngine('cpu'));
  return () => {
    engine.dispose();
  };
});

/** 300 minibatches of one image make most of an epoch; 120 test images are three chunks. */
const dataset = tinyDataset(620, 120);
let now: number;
let session: Session;
let meter: Meter;
let sent: Evaluation[];

beforeEach(() => {
  now = 0;
  sent = [];
  const recipe = { ...TINY_RECIPE, batchSize: 1 };
  session = new Session({ engine, dataset, recipe, config: DEFAULT_RUN_CONFIG });
  meter = new Meter(() => now);
  return () => {
    session.dispose();
  };
});

const testRuns = (stopAtStep: number | null = null, msPerChunk = 0): TestRuns =>
  new TestRuns({
    run: { runId: 4, session, meter, stopAtStep },
    // Looked at when a chunk begins and when it ends.
    now: () => (now += msPerChunk),
    send: (evaluation) => sent.push(evaluation),
  });

function train(tests: TestRuns, steps: number, msPerStep = 1): void {
  for (let i = 0; i < steps; i += 1) {
    meter.began();
    session.beginStep();
    session.zeroGradients();
    for (const layer of session.plan.layers) session.forward(layer);
    session.loss();
    for (const layer of session.plan.layers.toReversed()) session.backward(layer);
    session.update();
    now += msPerStep;
    tests.stepFinished(session.finishStep(), 1);
  }
}

function finish(tests: TestRuns): number {
  let chunks = 1;
  while (!tests.nextChunk()) chunks += 1;
  return chunks;
}

describe('before the first step', () => {
  it('tests the untrained network, a chunk at a time', () => {
    const tests = testRuns();
    expect([tests.isInitialDue, tests.isDue, tests.progress]).toEqual([true, false, null]);
    tests.nextChunk();
    expect(tests.progress).toBeCloseTo(50 / 120);
    finish(tests);
    expect([tests.isInitialDue, tests.progress]).toEqual([false, null]);
    expect(sent).toMatchObject([{ runId: 4, epoch: 0, step: 0, examples: 120, runningLoss: null }]);
  });

  it('leaves that out of a run that ends after a number of steps', () => {
    expect(testRuns(10).isInitialDue).toBe(false);
  });

  it('does not hold Play up for minutes', () => {
    const slow = testRuns(null, 5000);
    expect(slow.initialIsShort).toBe(true);
    slow.nextChunk();
    expect(slow.initialIsShort).toBe(false);
    slow.skipInitial();
    expect([slow.isInitialDue, slow.progress]).toEqual([false, null]);
  });

  it('begins again when a weight is set by hand, so that a result is of one network', () => {
    const tests = testRuns();
    tests.nextChunk();
    session.setWeight('fc1.bias', 0, 100);
    tests.weightsChanged();
    expect(tests.progress).toBeNull();
    finish(tests);
    const whole = testSession(session);
    let next = whole.next();
    while (next.done !== true) next = whole.next();
    expect(sent[0]?.loss).toBeCloseTo(next.value.loss, 5);
  });
});

describe('within an epoch', () => {
  it('tests every 300 steps, as long as that takes no more than a hundredth of the time', () => {
    const tests = testRuns(10_000, 100);
    train(tests, 299);
    expect(tests.takeUpWithinEpoch()).toBe(false);
    train(tests, 1);
    // Nothing is known yet of how long a test takes.
    expect(tests.takeUpWithinEpoch()).toBe(true);
    meter.stopped();
    finish(tests);
    expect(sent).toMatchObject([{ epoch: null, step: 300, examples: 120, runningAccuracy: null }]);
    train(tests, 300);
    expect(tests.takeUpWithinEpoch()).toBe(false);
    session.extend(10);
    train(tests, 20);
    finish(tests);
    train(tests, 300, 1000);
    expect(tests.takeUpWithinEpoch()).toBe(true);
  });
});

describe('at the end of an epoch', () => {
  it('tests once, and tells what training was like in it', () => {
    const tests = testRuns(10_000, 100);
    train(tests, 620, 2);
    expect([tests.isDue, tests.endsEpoch]).toEqual([true, true]);
    meter.stopped();
    finish(tests);
    expect([tests.isDue, tests.endsEpoch]).toEqual([false, false]);
    expect(sent).toMatchObject([{ epoch: 1, step: 620, examples: 120, imagesPerSecond: 500 }]);
    expect(sent[0]?.runningAccuracy).toBeGreaterThan(0.1);
    train(tests, 620, 4);
    meter.stopped();
    expect(tests.isDue).toBe(true);
    finish(tests);
    expect(sent[1]).toMatchObject({ epoch: 2, step: 1240, imagesPerSecond: 250 });
  });
});

it('frees the buffers of a test that is given up', () => {
  const tests = testRuns();
  const before = engine.liveBuffers();
  tests.nextChunk();
  expect(engine.liveBuffers()).toBeGreaterThan(before);
  tests.dispose();
  expect(engine.liveBuffers()).toBe(before);
});
