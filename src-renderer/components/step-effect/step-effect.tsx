import type { ReactElement } from 'react';

/** Whether the last step helped. */
export function StepEffect(): ReactElement {
  return (
    <div className="step-effect">
      <h2>Last step</h2>
    </div>
  );
}
