import type { Position } from '../../src-shared/model/phases';

/**
 * Both loops train one epoch's remaining minibatches through the same session and tell the gate about every place they
 * reach. The gate decides whether training stands there; it blocks the thread while it does.
 */
export interface Gate {
  /**
   * Before each minibatch. Blocks while training stands at the boundary.
   * 'leave': the loop must return now (another loop, another run, or the end takes over).
   */
  beforeStep(): 'go' | 'leave';
  /**
   * Just after the work named by `position` was done. Blocks while training stands there.
   * @throws StepAbandoned when the minibatch must be given up: no weight has changed yet, and it will be done again.
   */
  reached(position: Position): void;
}

/** Thrown through a loop to give up the minibatch under way; never after its first update. */
export class StepAbandoned extends Error {
  override readonly name = 'StepAbandoned';
}

export interface TrainingLoop {
  /** Trains until the epoch is over or the gate says leave. Swallows StepAbandoned (and asks the gate again). */
  run(): Promise<void>;
}
