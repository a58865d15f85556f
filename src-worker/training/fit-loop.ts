import * as tf from '@tensorflow/tfjs-core';
import { generator } from '@tensorflow/tfjs-data';
import type * as tfl from '@tensorflow/tfjs-layers';
import { GradscopeError } from '../../src-shared/protocol/errors';
import { createFitModel } from './fit-model';
import { EngineOptimiser } from './fit-optimiser';
import { FitStep } from './fit-step';
import { FitTime } from './fit-time';
import { StepAbandoned, type Gate, type TrainingLoop } from './loop';
import type { Session, StepRecord } from './session';

/**
 * Training as Keras users write it: model.compile, then model.fitDataset with callbacks. tfjs-layers drives; the session's
 * operations are called from its layers, its loss and its optimiser (see FitStep).
 *
 *   dataset   gate, beginStep                          onBatchBegin    zeroGrad
 *   layers    forward, then backward by tfjs's tape    optimiser       step
 */
export class FitLoop implements TrainingLoop {
  readonly #session: Session;
  readonly #gate: Gate;
  readonly #time: FitTime;
  readonly #step: FitStep;
  readonly #model: tfl.LayersModel;
  #lastLoss = Number.NaN;

  /**
   * @param onStep called when a step is finished, just before its last gate
   * @param time told what fit() costs
   */
  constructor(
    session: Session,
    gate: Gate,
    onStep: (record: StepRecord) => void,
    time = new FitTime(() => performance.now()),
  ) {
    this.#session = session;
    this.#gate = gate;
    this.#time = time;
    const noteStep = (record: StepRecord): void => {
      this.#lastLoss = record.loss;
      onStep(record);
    };
    this.#step = new FitStep(session, gate, noteStep, time);
    this.#model = createFitModel(session.plan, session.network.tensors, this.#step);
  }

  async run(): Promise<void> {
    const session = this.#session;
    if (tf.getBackend() !== session.network.tensors.backend) {
      throw new GradscopeError('internal', `fit() needs the backend ${session.network.tensors.backend}.`);
    }
    const optimiser = new EngineOptimiser(session.recipe.optimiser, (gradients) => {
      this.#step.applyGradients(gradients);
    });
    try {
      this.#model.compile({ optimizer: optimiser, loss: (_labels, logits) => this.#step.loss(logits) });
      let again = true;
      while (again) {
        await this.#fit();
        again = this.#settleFailure();
      }
    } finally {
      optimiser.dispose();
    }
  }

  /** One call of fitDataset: over what is left of the epoch, or until the gate says leave or a minibatch fails. */
  async #fit(): Promise<void> {
    const dataset = generator(() => this.#minibatches());
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- tfjs-layers declares a stand-in for it
    await this.#model.fitDataset(dataset, {
      epochs: 1,
      // Nothing else waits for this thread's event loop; commands are served at gates.
      yieldEvery: 'never',
      // @tensorflow/tfjs-node-gpu adds a progress bar to the default.
      // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- tfjs-layers does not export the enum
      verbose: 0,
      callbacks: {
        onBatchBegin: () => {
          this.#step.attempt(
            () => {
              this.#step.zeroGradients();
            },
            () => undefined,
          );
        },
        onBatchEnd: (_batch, logs) => {
          if (!this.#step.failed) this.#checkLoss(logs?.['loss']);
        },
      },
    });
  }

  /** tfjs-data draws a minibatch only when fitDataset asks for it, after the one before is done: nothing is prefetched. */
  *#minibatches(): Generator<{ xs: tf.Tensor; ys: tf.Tensor }, undefined> {
    for (;;) {
      const minibatch = this.#step.attempt(
        () => {
          if (this.#gate.beforeStep() === 'leave') return null;
          this.#time.began();
          this.#time.work(() => {
            this.#session.beginStep();
          });
          return this.#step.minibatch();
        },
        () => null,
      );
      if (minibatch === null) return undefined;
      yield minibatch;
      if (!this.#step.failed) this.#time.finished();
      if (this.#step.failed || this.#session.epochDone) return undefined;
    }
  }

  /** After fitDataset has returned: true when the minibatch was abandoned and fit() has to go on with it. */
  #settleFailure(): boolean {
    const failure = this.#step.takeFailure();
    if (failure === null) return false;
    if (!(failure.error instanceof StepAbandoned)) throw failure.error;
    this.#session.abandonStep();
    return true;
  }

  /** What the callback is told is the loss of the session, in float32. */
  #checkLoss(told: number | undefined): void {
    if (!Object.is(told, Math.fround(this.#lastLoss))) {
      throw new GradscopeError(
        'internal',
        `A callback was told a loss of ${String(told)}, not ${this.#lastLoss}.`,
      );
    }
  }
}
