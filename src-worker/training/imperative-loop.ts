import { StepAbandoned, type Gate, type TrainingLoop } from './loop';
import type { Session, StepRecord } from './session';

/** The training loop as PyTorch users write it: every operation is a call, one after the other. */
export class ImperativeLoop implements TrainingLoop {
  readonly #session: Session;
  readonly #gate: Gate;
  readonly #onStep: (record: StepRecord) => void;

  /** @param onStep called when a step is finished, just before its last gate */
  constructor(session: Session, gate: Gate, onStep: (record: StepRecord) => void) {
    this.#session = session;
    this.#gate = gate;
    this.#onStep = onStep;
  }

  /** Blocks until the epoch is over or the gate says leave; the promise is there because fit() needs one. */
  run(): Promise<void> {
    return new Promise((resolve) => {
      this.#trainEpoch();
      resolve();
    });
  }

  #trainEpoch(): void {
    while (this.#gate.beforeStep() === 'go') {
      try {
        this.#trainMinibatch();
      } catch (error) {
        if (!(error instanceof StepAbandoned)) throw error;
        this.#session.abandonStep();
        continue;
      }
      if (this.#session.epochDone) return;
    }
  }

  #trainMinibatch(): void {
    const session = this.#session;
    const gate = this.#gate;
    const { layers } = session.plan;

    session.beginStep();
    session.zeroGradients();
    gate.reached({ phase: 'zeroGrad', layer: null });

    for (const layer of layers) {
      session.forward(layer);
      gate.reached({ phase: 'forward', layer: layer.index });
    }
    gate.reached({ phase: 'forward', layer: null });

    session.loss();
    gate.reached({ phase: 'loss', layer: null });

    for (const layer of layers.toReversed()) {
      session.backward(layer);
      gate.reached({ phase: 'backward', layer: layer.index });
    }
    gate.reached({ phase: 'backward', layer: null });

    session.update();
    this.#onStep(session.finishStep());
    gate.reached({ phase: 'step', layer: null });
  }
}
