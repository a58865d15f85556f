import { useRef, type ReactElement } from 'react';
import { formatScale } from '../../scene/numbers';
import type { LayerRow } from '../../scene/network-rows';
import { useApp } from '../../state/store';
import { usePage } from '../page-context';
import { setText } from '../set-text';
import { usePainter } from '../live';
import { scopeModelOf, type KernelKind } from './scope-model';

/** The scale of a picture, upright in the gap beside it. It changes with the picture, in the same animation frame. */
export function ScaleLabel({ row, kind }: { row: LayerRow; kind: KernelKind }): ReactElement {
  const model = scopeModelOf(usePage());
  const perKernel = useApp(({ view }) => view.scaleScope === 'kernel');
  const label = useRef<HTMLSpanElement>(null);
  usePainter(() => {
    model.refresh();
    const scale = model.scaleOf(row.weight.name, kind, 0);
    setText(label.current, perKernel ? 'own' : scale.known ? `±${formatScale(scale.value)}` : '');
  });
  return (
    <div className="scale-label">
      <span ref={label} />
    </div>
  );
}
