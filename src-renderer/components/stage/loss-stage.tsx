import type { ReactElement } from 'react';

/** The loss of the minibatch, and the error that leaves it. */
export function LossStage(): ReactElement {
  return (
    <div className="stage">
      <h2>Standing at the loss</h2>
    </div>
  );
}
