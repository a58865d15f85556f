import { beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_RUN_CONFIG } from '../../src-shared/model/run-config';
import { openEngine } from '../engine';
import type { Engine } from '../engine/engine';
import { TINY_RECIPE, tinyDataset } from '../testing/tiny-run';
import { testSession, type TestProgress, type TestResult } from './evaluation';
import { Session } from './session';

let engine: Engine;
beforeAll(async () => {
  ({ engine } = await openEngine('cpu'));
  return () => {
    engine.dispose();
  };
});

function sessionOf(testBatchSize: number, dropout = true): Session {
  const recipe = { ...TINY_RECIPE, testBatchSize };
  return new Session({ engine, dataset: tinyDataset(), recipe, config: { ...DEFAULT_RUN_CONFIG, dropout } });
}

function runTest(session: Session): { result: TestResult; progress: TestProgress[] } {
  const progress: TestProgress[] = [];
  const test = testSession(session);
  for (;;) {
    const next = test.next();
    if (next.done === true) return { result: next.value, progress };
    progress.push(next.value);
  }
}

describe('testSession', () => {
  it('gives the same result whatever the chunks, none left out and none counted twice', () => {
    const results = [1, 5, 13, 1000].map((size) => {
      const session = sessionOf(size);
      const { result } = runTest(session);
      session.dispose();
      return result;
    });
    for (const { loss, accuracy, examples } of results) {
      expect(examples).toBe(13);
      expect(loss).toBeCloseTo(results[0]?.loss ?? Number.NaN, 6);
      expect(accuracy).toBe(results[0]?.accuracy);
    }
  });

  it('tells how far it is after each chunk', () => {
    const session = sessionOf(5);
    expect(runTest(session).progress).toEqual([
      { done: 5, total: 13 },
      { done: 10, total: 13 },
      { done: 13, total: 13 },
    ]);
    session.dispose();
  });

  it('drops nothing, whether training does or not', () => {
    const [dropping, not] = [sessionOf(5, true), sessionOf(5, false)];
    expect(runTest(dropping).result).toEqual(runTest(not).result);
    dropping.dispose();
    not.dispose();
  });

  it('leaves no buffer behind, done or given up, and the step under way undisturbed', () => {
    const session = sessionOf(5);
    session.beginStep();
    for (const layer of session.plan.layers) session.forward(layer);
    const before = engine.liveBuffers();
    const activation = session.readLayer('fc1', 'activation');
    runTest(session);
    const givenUp = testSession(session);
    givenUp.next();
    expect(engine.liveBuffers()).toBeGreaterThan(before);
    givenUp.return({ loss: 0, accuracy: 0, examples: 0 });
    expect(engine.liveBuffers()).toBe(before);
    expect(session.readLayer('fc1', 'activation')).toEqual(activation);
    session.dispose();
  });
});
