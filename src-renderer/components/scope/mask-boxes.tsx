import { useEffect, useRef, type ReactElement } from 'react';
import { maskShape } from '../../../src-shared/model/dropout-mask';
import { sizeOf, type LayerPlan } from '../../../src-shared/model/network';
import { boxesSize, boxRows, paintBoxes } from '../../draw/keep-boxes';
import { scaledContext } from '../../draw/scaled-canvas';
import { tokens } from '../../draw/tokens';
import type { FrameView } from '../../frames/frame-store';
import { useWords } from '../live';
import { usePage } from '../page-context';
import { exampleValues } from './error-fates';

/** How many maps or values a dropout layer kept for the example: `10 of 20`; null where that is not known yet. */
export function keptText(view: FrameView | null, layer: LayerPlan): string | null {
  const mask = exampleValues(view, layer.spec.name, 'mask');
  if (mask === null) return null;
  return `${String(mask.filter((factor) => factor !== 0).length)} of ${String(mask.length)}`;
}

/** What dropout decided for the example: a filled box for each map or value it kept, an open one for each it dropped. */
export function MaskBoxes({
  layer,
  width,
  height,
}: {
  layer: LayerPlan;
  /** Room for a row of boxes (infinite: they are in one row), and height of one, CSS pixels. */
  width: number;
  height: number;
}): ReactElement {
  const { frames, loop } = usePage();
  const canvas = useRef<HTMLCanvasElement>(null);
  const drawn = useRef('');
  const { name } = layer.spec;
  const rows = boxRows(sizeOf(maskShape(layer)), width, height);
  const pixelRatio = window.devicePixelRatio;
  useEffect(() => {
    drawn.current = '';
    loop.invalidateWords();
  }, [loop, name, width, height]);
  useWords(() => {
    const view = frames.inWords();
    const { ink2, ink3, line2 } = tokens();
    const key = `${String(view?.serial)} ${ink2}`;
    if (canvas.current === null || key === drawn.current) return;
    drawn.current = key;
    const size = boxesSize(rows);
    const context = scaledContext(canvas.current, size.width, size.height, pixelRatio);
    const mask = exampleValues(view, name, 'mask');
    paintBoxes(context, rows, mask, { kept: ink2, dropped: ink3, unknown: line2 });
    const kept = keptText(view, layer);
    const label = `${name} mask, ${kept === null ? 'not yet' : `kept ${kept}`}`;
    if (canvas.current.ariaLabel !== label) canvas.current.ariaLabel = label;
  });
  return (
    <canvas
      ref={canvas}
      className="mask-boxes"
      role="img"
      aria-label={`${name} mask`}
      style={boxesSize(rows)}
    />
  );
}
