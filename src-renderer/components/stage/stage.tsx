import type { ReactElement } from 'react';
import { examplesUnderWay, standingLayer } from '../../state/standing';
import { useApp } from '../../state/store';
import { keyHint } from '../keymap';
import { LayerStage } from './layer-stage';
import { LossStage } from './loss-stage';

/** What happens where training stands: at a layer, at the loss; and how to get there when it does not stand inside a step. */
export function Stage(): ReactElement {
  const isInside = useApp(({ status }) => examplesUnderWay(status) !== null);
  const phase = useApp(({ status }) => status?.phase ?? null);
  const hasLayer = useApp((state) => standingLayer(state) !== null);
  if (isInside && hasLayer) return <LayerStage />;
  const walk = (
    <p className="hint">
      Step by layer ({keyHint('stepLayer')}) to walk from the first layer to the loss and back.
    </p>
  );
  if (isInside && phase === 'loss') return <LossStage />;
  return isInside ? (
    <div className="stage">
      <h2>After {phase}</h2>
      {walk}
    </div>
  ) : (
    <div className="stage">
      <LossStage />
      {walk}
    </div>
  );
}
