import { gatherMinibatch, normalisation } from '../data/dataset';
import type { Session } from './session';

export interface TestResult {
  /** Mean over the whole test set. */
  readonly loss: number;
  /** Share classified rightly, 0..1. */
  readonly accuracy: number;
  readonly examples: number;
}

export interface TestProgress {
  readonly done: number;
  readonly total: number;
}

/**
 * Tests the weights as they are on the whole test set with dropout off, recipe.testBatchSize images at a time. Yields
 * after each of these chunks, so that whoever drives it can do other things or give up (return() frees everything).
 * Weights must not change in between. Changes nothing of the run.
 */
export function* testSession(session: Session): Generator<TestProgress, TestResult> {
  const { dataset, network, plan, recipe } = session;
  const { test } = dataset;
  const table = normalisation(recipe.input);
  const pass = network.createPass();
  try {
    let lossSum = 0;
    let correctSum = 0;
    for (let done = 0; done < test.count; ) {
      const n = Math.min(recipe.testBatchSize, test.count - done);
      const indices = Array.from({ length: n }, (_, i) => done + i);
      const { images, labels } = gatherMinibatch(dataset, test, indices, table);
      pass.load(images, labels, n);
      for (const layer of plan.layers) pass.forward(layer, { mask: () => null });
      const { loss, correct } = pass.loss();
      lossSum += loss * n;
      correctSum += correct;
      done += n;
      yield { done, total: test.count };
    }
    return { loss: lossSum / test.count, accuracy: correctSum / test.count, examples: test.count };
  } finally {
    pass.dispose();
  }
}
