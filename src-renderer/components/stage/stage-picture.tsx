import { useEffect, useMemo, useRef, type ReactElement } from 'react';
import type { FateMarks } from '../../draw/fate-marks';
import { Picture } from '../../draw/picture';
import type { FrameView } from '../../frames/frame-store';
import { cssSize } from '../../scene/scope-layout';
import { rectsOf, type Tiles } from '../../scene/tiles';
import { usePage } from '../page-context';
import { scopeModelOf } from '../scope/scope-model';
import { MarkLayer } from '../scope/mark-layer';
import { setData } from '../set-text';

export interface StageContent {
  /** null: not computed yet. */
  readonly values: Float32Array | null;
  readonly scale: number;
  readonly fates: FateMarks | null;
}

/**
 * A picture on the stage. `read` is asked once a picture of the trainer, and again when it is another function, so it
 * must be one made by useCallback.
 */
export function StagePicture({
  label,
  tiles,
  pixelRatio,
  chosen = null,
  read,
}: {
  label: string;
  tiles: Tiles;
  pixelRatio: number;
  /** The tile that is outlined. */
  chosen?: number | null;
  read: (view: FrameView) => StageContent;
}): ReactElement {
  const parts = usePage();
  const model = scopeModelOf(parts);
  const host = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const marks = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (canvas.current === null || marks.current === null) return;
    const picture = new Picture(canvas.current, tiles);
    const markLayer = new MarkLayer(marks.current, { tiles, pixelRatio });
    let drawn = '';
    return parts.loop.addPainter('draw', () => {
      const view = model.refresh();
      if (view === null) return;
      const table = model.colours();
      const key = `${String(view.serial)} ${table.theme}`;
      if (key === drawn) return;
      drawn = key;
      const { values, scale, fates } = read(view);
      const isBad = values !== null && values.some((value) => !Number.isFinite(value));
      picture.paint({ values, scales: Float64Array.of(scale), table, gapPixel: 0 });
      markLayer.paint({ nonFinite: isBad ? values : null, deadKernels: [], deadMaps: [], fates }, key);
      setData(host.current, 'freshness', values === null ? 'notYet' : 'fresh');
      const name = values === null ? `${label}, not yet` : label;
      if (host.current !== null && host.current.ariaLabel !== name) host.current.ariaLabel = name;
    });
  }, [parts, model, tiles, pixelRatio, read, label]);
  const size = useMemo(
    () => ({
      width: cssSize(tiles.width, tiles, pixelRatio),
      height: cssSize(tiles.height, tiles, pixelRatio),
    }),
    [tiles, pixelRatio],
  );
  const rect = chosen === null ? undefined : rectsOf(tiles, chosen)[0];
  const scale = tiles.unit / pixelRatio;
  return (
    <div ref={host} className="picture" role="img" aria-label={label} style={size}>
      <canvas ref={canvas} style={size} />
      <canvas ref={marks} className="marks" hidden />
      {rect !== undefined && (
        <div
          className="outline chosen"
          style={{
            left: rect.x * scale - 2,
            top: rect.y * scale - 2,
            width: rect.width * scale + 4,
            height: rect.height * scale + 4,
          }}
        />
      )}
    </div>
  );
}
