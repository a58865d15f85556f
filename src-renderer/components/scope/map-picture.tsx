import { useEffect, useRef, type ReactElement } from 'react';
import type { Freshness } from '../../../src-shared/protocol/messages';
import type { FateMarks } from '../../draw/fate-marks';
import { Picture } from '../../draw/picture';
import { pictures } from '../../draw/picture-registry';
import type { FrameSlot } from '../../frames/frame-store';
import { formatScale } from '../../scene/numbers';
import { cssSize, type MapPicture as MapLayout } from '../../scene/scope-layout';
import { meanMap } from '../../scene/statistics';
import { hitTest, type Tiles } from '../../scene/tiles';
import { appStore } from '../../state/store';
import { useWords } from '../live';
import { cellPlaces, locateIn } from '../arithmetic/cell-places';
import { usePage } from '../page-context';
import { standingFates } from './error-fates';
import { showFreshness } from './kernel-picture';
import { MapOutline } from './map-outline';
import { MarkLayer } from './mark-layer';
import { setText } from '../set-text';
import type { FrameView } from '../../frames/frame-store';
import { isBlank, MAP_KINDS, mapKind, scopeModelOf, type MapSide } from './scope-model';

/** What a picture is of, in words: the digit, or inside a step which example, and whether it is there. */
function nameOf(layer: string, side: MapSide, view: FrameView | null, title: string | undefined): string {
  const slot = view?.slot(layer, mapKind(view, side)) ?? null;
  const example = view?.example ?? null;
  const whose = example === null ? 'the digit' : `example ${String(example)} of the minibatch`;
  const missing = example !== null && (slot === null || isBlank(slot)) ? ', not yet' : '';
  return `${layer} ${side} of ${whose}${title === undefined ? '' : `, ${title}`}${missing}`;
}

/** Output or error of a layer for the chosen digit or example, map by map, with their mean as the last tile where it fits. */
export function MapPicture({
  layer,
  side,
  maps,
  pixelRatio,
}: {
  layer: string;
  side: MapSide;
  maps: MapLayout;
  pixelRatio: number;
}): ReactElement {
  const { tiles, withMean } = maps;
  const tag = useRef<HTMLSpanElement>(null);
  const caption = useRef<HTMLParagraphElement>(null);
  const parts = usePage();
  const model = scopeModelOf(parts);
  const known = useRef(false);
  useWords(() => {
    if (maps.caption === null) return;
    const text = side === 'output' ? maps.caption.output : maps.caption.error;
    const scale = model.mapScaleOf(layer, mapKind(parts.frames.latest(), side));
    setText(caption.current, known.current && scale.known ? `${text}, ±${formatScale(scale.value)}` : text);
  });
  return (
    <div className="scope-cell">
      <Maps
        layer={layer}
        side={side}
        tiles={tiles}
        withMean={withMean}
        pixelRatio={pixelRatio}
        onSlot={(picture, slot) => {
          known.current = slot !== null && !isBlank(slot) && !isReduced(slot);
          showFreshness(picture, tag.current, slot, mapFreshness(slot));
          if (slot === null || !isReduced(slot) || tag.current === null) return;
          tag.current.hidden = false;
          setText(tag.current, 'too large to show');
        }}
      />
      <span ref={tag} className="tag" style={{ top: cssSize(tiles.height, tiles, pixelRatio) / 2 }} hidden />
      {maps.caption !== null && <p ref={caption} className="caption" />}
    </div>
  );
}

/**
 * Running, the digit goes through the network a few times a second only; the column's head says of which step its maps
 * are, and dimming them in between would be nothing but flicker. Standing, what is old is shown as old.
 */
export function mapFreshness(slot: FrameSlot | null): Freshness {
  if (slot === null) return 'notYet';
  const { freshness } = slot.state;
  return freshness === 'old' && appStore.getState().status?.state === 'running' ? 'fresh' : freshness;
}

/** The canvas of some maps. Where `tiles` has fewer tiles than the layer has maps, the first ones are shown. */
export function Maps({
  layer,
  side,
  tiles,
  withMean,
  pixelRatio,
  onSlot,
  title,
}: {
  layer: string;
  side: MapSide;
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
    let fates: FateMarks | null = null;
    const paint = (): void => {
      const view = model.refresh();
      const kind = mapKind(view, side);
      const slot = view?.slot(layer, kind) ?? null;
      const scale = model.mapScaleOf(layer, kind);
      const table = model.colours();
      const state = `${String(view?.serial)} ${table.theme} ${String(scale.value)}`;
      report.current?.(host.current, slot);
      setLabel(host.current, nameOf(layer, side, view, title));
      const blank = slot === null || isBlank(slot) || isReduced(slot);
      if (state !== drawn) {
        drawn = state;
        scales[0] = scale.value;
        const { plan } = appStore.getState();
        fates = side === 'error' && !blank ? standingFates(view, plan, layer) : null;
        if (!blank) collect(slot, tiles, withMean, shown);
        picture.paint({ values: blank ? null : shown, scales, table, gapPixel: 0 });
      }
      const bad = !blank && slot.state.nan + slot.state.infinite > 0;
      const deadMaps = side === 'output' ? model.dead(layer) : [];
      markLayer.paint(
        { nonFinite: bad ? shown : null, deadKernels: [], deadMaps: [...deadMaps], fates },
        bad || fates !== null ? state : table.theme,
      );
    };
    const across = tiles.kernelSize === 1 ? tiles.kernels : 1;
    const withdraw = [
      parts.loop.addPainter('draw', paint),
      cellPlaces.add(layer, side, locateIn(canvas.current, tiles, pixelRatio)),
      ...MAP_KINDS.filter((kind) => kind === side || kind === mapKind(null, side)).map((kind) =>
        pictures.add(layer, kind, () =>
          kind === mapKind(parts.frames.latest(), side) ? picture.read(across) : null,
        ),
      ),
    ];
    return () => {
      for (const remove of withdraw) remove();
    };
  }, [model, parts, tiles, withMean, pixelRatio, layer, side, title]);

  const width = cssSize(tiles.width, tiles, pixelRatio);
  const height = cssSize(tiles.height, tiles, pixelRatio);
  return (
    <div
      ref={host}
      className="picture"
      role="img"
      aria-label={nameOf(layer, side, null, title)}
      // Its values are walked through from here (see arithmetic/).
      tabIndex={0}
      data-cells={layer}
      data-column={side}
      style={{ width, height }}
      onPointerMove={(event) => {
        if (canvas.current === null) return;
        const box = canvas.current.getBoundingClientRect();
        const size = tiles.unit / pixelRatio;
        const hit = hitTest(tiles, (event.clientX - box.left) / size, (event.clientY - box.top) / size);
        const isMean = withMean && hit?.kernel === tiles.kernels - 1;
        model.point(
          hit === null
            ? null
            : {
                layer,
                kind: mapKind(parts.frames.latest(), side),
                kernel: hit.kernel,
                index: isMean ? null : hit.index,
              },
          event,
        );
      }}
      onPointerLeave={(event) => {
        model.point(null, event);
      }}
    >
      <canvas ref={canvas} style={{ width, height }} />
      <canvas ref={marks} className="marks" hidden />
      {tiles.kernels > 1 && <MapOutline layer={layer} side={side} tiles={tiles} pixelRatio={pixelRatio} />}
    </div>
  );
}

/** Block means of maps that are too large to be sent value by value: nothing that could be drawn as maps. */
const isReduced = ({ slot }: FrameSlot): boolean => slot.block !== null;

function setLabel(element: HTMLElement | null, label: string): void {
  if (element !== null && element.ariaLabel !== label) element.ariaLabel = label;
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
