import type { ReactElement } from 'react';
import { useApp } from '../../state/store';

/** The layer at which training stands. */
export function LayerStage(): ReactElement {
  const layer = useApp(({ status }) => status?.layer ?? '');
  const direction = useApp(({ status }) => status?.phase ?? '');
  return (
    <div className="stage">
      <h2>
        Standing at {layer}, {direction}
      </h2>
    </div>
  );
}
