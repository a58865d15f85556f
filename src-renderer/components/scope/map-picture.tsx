import { useEffect, useRef, type ReactElement } from 'react';
import type { Freshness } from '../../../src-shared/protocol/messages';
import { Picture } from '../../draw/picture';
import { pictures } from '../../draw/picture-registry';
import type { FrameSlot } from '../../frames/frame-store';
import { formatScale } from '../../scene/numbers';
import { cssSize, type MapPicture as MapLayout } from '../../scene/scope-layout';
import { meanMap } from '../../scene/statistics';
import { hitTest, type Tiles } from '../../scene/tiles';
import { appStore } from '../../state/store';
import { useWords } from '../live';
import { usePage } from '../page-context';
import { showFreshness } from './kernel-picture';
import { MarkLayer } from './mark-layer';
import { setText } from '../set-text';
import { isBlank, scopeModelOf, type MapKind } from './scope-model';

const NAMES: Readonly<Record<MapKind, string>> = { digitOutput: 'output', digitError: 'error' };

/** Output or error of a layer for the chosen digit, map by map, with their mean as the last tile where it fits. */
export function MapPicture({
  layer,
  kind,
  maps,
  pixelRatio,
}: {
  layer: string;
  kind: MapKind;
  maps: MapLayout;
  pixelRatio: number;
}): ReactElement {
  const { tiles, withMean } = maps;
  const tag = useRef<HTMLSpanElement>(null);
  const caption = useRef<HTMLParagraphElement>(null);
  const model = scopeModelOf(usePage());
  const known = useRef(false);
  useWords(() => {
    if (maps.caption === null) return;
    const text = kind === 'digitOutput' ? maps.caption.output : maps.caption.error;
    const scale = model.mapScaleOf(layer, kind);
    setText(caption.current, known.current && scale.known ? `${text}, ±${formatScale(scale.value)}` : text);
  });
  return (
    <div className="scope-cell">
      <Maps
        layer={layer}
        kind={kind}
        tiles={tiles}
        withMean={withMean}
        pixelRatio={pixelRatio}
        onSlot={(picture, slot) => {
          known.current = slot !== null && !isBlank(slot);
          showFreshness(picture, tag.current, slot, mapFreshness(slot));
        }}
      />
      <span ref={tag} className="tag" hidden />
      {maps.caption !== null && <p ref={caption} className="caption" />}
    </div>
  );
}

/**
 * Running, the digit goes through the network a few times a second only; the column's head says of which step its maps
 * are, and dimming them in between would be nothing but flicker. Standing, what is old is shown as old.
 */
function mapFreshness(slot: FrameSlot | null): Freshness {
  if (slot === null) return 'notYet';
  const { freshness } = slot.state;
  return freshness === 'old' && appStore.getState().status?.state === 'running' ? 'fresh' : freshness;
}

/** The canvas of some maps. Where `tiles` has fewer tiles than the layer has maps, the first ones are shown. */
export function Maps({
  layer,
  kind,
  tiles,
  withMean,
  pixelRatio,
  onSlot,
  title,
}: {
  layer: string;
  kind: MapKind;
  tiles: Tiles;
  withMean: boolean;
  pixelRatio: number;
  onSlot?: (picture: HTMLElement | null, slot: FrameSlot | null) => void;
  title?: string;
}): ReactElement {
  const parts = usePage();
  const model = scopeModelOf(parts);
  const host = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const marks = useRef<HTMLCanvasElement>(null);
  const report = useRef(onSlot);
  useEffect(() => {
    report.current = onSlot;
  });

  useEffect(() => {
    if (canvas.current === null || marks.current === null) return;
    const picture = new Picture(canvas.current, tiles);
    const markLayer = new MarkLayer(marks.current, { tiles, pixelRatio });
    const shown = new Float32Array(tiles.kernels * tiles.kernelSize);
    const scales = new Float64Array(1);
    let drawn = '';
    const paint = (): void => {
      const view = model.refresh();
      const slot = view?.slot(layer, kind) ?? null;
      const scale = model.mapScaleOf(layer, kind);
      const table = model.colours();
      const state = `${String(view?.serial)} ${table.theme} ${String(scale.value)}`;
      report.current?.(host.current, slot);
      const blank = slot === null || isBlank(slot);
      if (state !== drawn) {
        drawn = state;
        scales[0] = scale.value;
        if (!blank) collect(slot, tiles, withMean, shown);
        picture.paint({ values: blank ? null : shown, scales, table, gapPixel: 0 });
      }
      const bad = !blank && slot.state.nan + slot.state.infinite > 0;
      const deadMaps = kind === 'digitOutput' ? model.dead(layer) : [];
      markLayer.paint(
        { nonFinite: bad ? shown : null, deadKernels: [], deadMaps: [...deadMaps] },
        bad ? state : table.theme,
      );
    };
    const across = tiles.kernelSize === 1 ? tiles.kernels : 1;
    const withdraw = [
      parts.loop.addPainter('draw', paint),
      pictures.add(layer, kind, () => picture.read(across)),
    ];
    return () => {
      for (const remove of withdraw) remove();
    };
  }, [model, parts.loop, tiles, withMean, pixelRatio, layer, kind]);

  const width = cssSize(tiles.width, tiles, pixelRatio);
  const height = cssSize(tiles.height, tiles, pixelRatio);
  return (
    <div
      ref={host}
      className="picture"
      role="img"
      aria-label={`${layer} ${NAMES[kind]} of the digit${title === undefined ? '' : `, ${title}`}`}
      style={{ width, height }}
      onPointerMove={(event) => {
        if (canvas.current === null) return;
        const box = canvas.current.getBoundingClientRect();
        const size = tiles.unit / pixelRatio;
        const hit = hitTest(tiles, (event.clientX - box.left) / size, (event.clientY - box.top) / size);
        const isMean = withMean && hit?.kernel === tiles.kernels - 1;
        model.point(
          hit === null ? null : { layer, kind, kernel: hit.kernel, index: isMean ? null : hit.index },
          event,
        );
      }}
      onPointerLeave={(event) => {
        model.point(null, event);
      }}
    >
      <canvas ref={canvas} style={{ width, height }} />
      <canvas ref={marks} className="marks" hidden />
    </div>
  );
}

/** The maps that are shown, and after them their mean over all maps of the layer. */
function collect(slot: FrameSlot, tiles: Tiles, withMean: boolean, target: Float32Array): void {
  const maps = tiles.kernels - (withMean ? 1 : 0);
  target.set(slot.values.subarray(0, maps * tiles.kernelSize));
  if (withMean) {
    const channels = slot.values.length / tiles.kernelSize;
    meanMap(slot.values, channels, target.subarray(maps * tiles.kernelSize));
  }
}
