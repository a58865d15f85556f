import { setBackend } from '@tensorflow/tfjs-core';
import type { Recipe } from '../../src-shared/model/recipe';
import type { RunConfig } from '../../src-shared/model/run-config';
import type { Dataset } from '../data/dataset';
import type { Engine } from '../engine/engine';
import { FEW_STEPS, MOST_TRIAL_STEPS, type Trial } from './measure-engines';
import { Session } from './session';

const FEW_IMAGES = 8;

/** What decides how fast a run is, besides engine and machine. */
export interface TrialSubject {
  readonly recipe: Recipe;
  readonly config: Pick<RunConfig, 'dropout' | 'order'>;
  readonly dataset: Dataset;
}

/** Images in most of the minibatches. */
export const minibatchSize = ({ recipe, config, dataset }: TrialSubject): number =>
  config.order === null
    ? Math.min(recipe.batchSize, dataset.train.count)
    : config.order.reduce((largest, { length }) => Math.max(largest, length), 1);

/**
 * Trains a session of its own, with the masks, copies and norms of a real one, on training images.
 * @throws GradscopeError `engine-cannot-run`
 */
export function createTrial(engine: Engine, subject: TrialSubject): Trial {
  const { recipe, config, dataset } = subject;
  const whole = minibatchSize(subject);
  const few = Math.min(FEW_IMAGES, whole);
  const order = Array.from({ length: MOST_TRIAL_STEPS }, (_, step) =>
    Array.from(
      { length: step < FEW_STEPS ? few : whole },
      (_, i) => (step * whole + i) % dataset.train.count,
    ),
  );
  const { dropout } = config;
  const session = new Session({ engine, dataset, recipe, config: { seed: 1, dropout, order, epochs: 1 } });
  return {
    few,
    whole,
    activate: async () => {
      // How many a run uses is found as it trains; the best is seldom far from all.
      engine.threads?.use(engine.threads.most);
      await setBackend(session.network.tensors.backend);
    },
    step() {
      const { layers } = session.plan;
      session.beginStep();
      session.zeroGradients();
      for (const layer of layers) session.forward(layer);
      session.loss();
      for (const layer of layers.toReversed()) session.backward(layer);
      session.update();
      session.finishStep();
    },
    dispose() {
      session.dispose();
    },
  };
}
