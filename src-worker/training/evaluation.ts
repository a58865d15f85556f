import { gatherMinibatch, normalisation } from '../data/dataset';
import type { Session } from './session';

export interface TestResult {
  /** Mean over the images tested. */
  readonly loss: number;
  /** Share classified rightly, 0..1. */
  readonly accuracy: number;
  readonly examples: number;
}

export interface TestProgress {
  readonly done: number;
  readonly total: number;
}

export interface TestOptions {
  /** How many of the first test images; all where it is left out. */
  readonly examples?: number;
  /** Images at a time; recipe.testBatchSize where it is left out. */
  readonly chunk?: number;
}

/**
 * Tests the weights as they are on the test set with dropout off. Yields after each chunk, so that whoever drives it can do
 * other things or give up (return() frees everything). Weights must not change in between. Changes nothing of the run.
 */
export function* testSession(
  session: Session,
  options: TestOptions = {},
): Generator<TestProgress, TestResult> {
  const { dataset, network, plan, recipe } = session;
  const { test } = dataset;
  const total = Math.min(options.examples ?? test.count, test.count);
  const chunk = options.chunk ?? recipe.testBatchSize;
  const table = normalisation(recipe.input);
  const pass = network.createPass();
  try {
    let lossSum = 0;
    let correctSum = 0;
    for (let done = 0; done < total; ) {
      const n = Math.min(chunk, total - done);
      const indices = Array.from({ length: n }, (_, i) => done + i);
      const { images, labels } = gatherMinibatch(dataset, test, indices, table);
      pass.load(images, labels, n);
      for (const layer of plan.layers) pass.forward(layer, { mask: () => null });
      const { loss, correct } = pass.loss();
      lossSum += loss * n;
      correctSum += correct;
      done += n;
      yield { done, total };
    }
    return { loss: lossSum / total, accuracy: correctSum / total, examples: total };
  } finally {
    pass.dispose();
  }
}
