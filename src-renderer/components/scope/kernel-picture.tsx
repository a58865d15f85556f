import { useEffect, useMemo, useRef, type KeyboardEvent, type PointerEvent, type ReactElement } from 'react';
import type { Freshness } from '../../../src-shared/protocol/messages';
import { Picture } from '../../draw/picture';
import { pictures } from '../../draw/picture-registry';
import { tokens } from '../../draw/tokens';
import { ZERO_INDEX, type ColourTable } from '../../scene/colour-table';
import type { FrameSlot } from '../../frames/frame-store';
import { kernelAt } from '../../scene/arrangement';
import { kernelAddress, kernelNumber, kernelShape } from '../../scene/network-rows';
import { formatCount } from '../../scene/numbers';
import { cssSize, type LayerRowLayout } from '../../scene/scope-layout';
import { blockMeans } from '../../scene/statistics';
import { hitTest, placeOf, rectsOf, type Hit, type Tiles } from '../../scene/tiles';
import { select } from '../../state/actions';
import { useApp } from '../../state/store';
import { cellPlaces, locateIn } from '../arithmetic/cell-places';
import { isShortcut } from '../key-press';
import { usePage } from '../page-context';
import { KernelCells } from './kernel-cells';
import { alongUnit, neighbour } from './kernel-walk';
import { MarkLayer } from './mark-layer';
import { setData, setHidden, setText } from '../set-text';
import { outlineStyle, placeOutlines } from './outlines';
import { isBlank, isKernelKind, scopeModelOf, type KernelKind } from './scope-model';

/** W, g or dW of a layer: the picture, what is drawn over it, and its kernels as a grid to walk in and choose from. */
export function KernelPicture({
  row,
  kind,
  pixelRatio,
}: {
  row: LayerRowLayout;
  kind: KernelKind;
  pixelRatio: number;
}): ReactElement {
  const parts = usePage();
  const model = scopeModelOf(parts);
  const { layer, weight, kernels: tiles, overview, arrangement } = row;
  const layerName = layer.spec.name;
  const shape = useMemo(() => kernelShape(weight.shape), [weight.shape]);
  const selection = useApp(({ view }) => view.selection);
  const chosen = overview === null && selection?.layer === layerName ? kernelNumber(shape, selection) : null;

  const grid = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const marks = useRef<HTMLCanvasElement>(null);
  const tag = useRef<HTMLSpanElement>(null);
  const hoverOutline = useRef<HTMLDivElement>(null);
  /** Of a unit's row: where the loupe is that follows the focus. */
  const column = useRef(0);

  useEffect(() => {
    if (canvas.current === null || marks.current === null) return;
    const picture = new Picture(canvas.current, tiles);
    const markLayer = new MarkLayer(marks.current, { tiles, pixelRatio });
    const scales = new Float64Array(tiles.kernels);
    const means = overview === null ? null : new Float32Array(tiles.kernels * tiles.kernelSize);
    const inputs = shape.inputs ?? 1;
    const firstInput = shape.inputs === null ? 0 : (arrangement.inputs?.[0] ?? 0);
    let drawn = '';
    const paint = (): void => {
      const view = model.refresh();
      const slot = view?.slot(weight.name, kind) ?? null;
      const scaleChanged = model.fillScales(weight.name, kind, scales);
      const table = model.colours();
      const state = `${String(view?.serial)} ${table.theme}`;
      const dead = model.dead(layerName);
      showFreshness(grid.current, tag.current, slot);
      placeOutlines(hoverOutline.current, tiles, pixelRatio, hoveredKernel());
      if (state !== drawn || scaleChanged) {
        drawn = state;
        const values = slot === null || isBlank(slot) ? null : valuesToPaint(slot);
        picture.paint({ values, scales, table, gapPixel: gapPixelOf(tiles, values, table) });
      }
      const bad = slot !== null && !isBlank(slot) && slot.state.nan + slot.state.infinite > 0;
      markLayer.paint(
        {
          nonFinite: bad ? valuesToPaint(slot) : null,
          deadKernels: overview === null ? dead.map((filter) => filter * inputs + firstInput) : [],
          deadMaps: [],
          fates: null,
        },
        bad ? state : table.theme,
      );
    };
    const valuesToPaint = (slot: FrameSlot): Float32Array => {
      if (means === null) return slot.values;
      const [rows = 1] = slot.shape;
      blockMeans(slot.values, [rows, slot.values.length / rows], means, [tiles.kernels, tiles.kernelSize]);
      return means;
    };
    const hoveredKernel = (): number | null =>
      model.hover?.layer === layerName && isKernelKind(model.hover.kind) ? model.hover.kernel : null;
    const across = overview === null && shape.inputs !== null ? shape.inputs : 1;
    const withdraw = [
      parts.loop.addPainter('draw', paint),
      pictures.add(weight.name, kind, () => picture.read(across)),
      ...(overview === null
        ? [cellPlaces.add(layerName, kind, locateIn(canvas.current, tiles, pixelRatio))]
        : []),
    ];
    return () => {
      for (const remove of withdraw) remove();
    };
  }, [model, parts.loop, tiles, arrangement, pixelRatio, overview, shape, weight.name, layerName, kind]);

  const isFine = overview === null && (tiles.cell * tiles.unit) / pixelRatio < LOUPE_BELOW;
  useEffect(() => {
    if (isFine) model.finePictures.set(layerName, tiles);
    else model.finePictures.delete(layerName);
    return () => {
      // What was pointed at lies elsewhere once the picture is sorted.
      if (model.hover?.layer === layerName && model.hover.kind === kind) {
        model.point(null, { clientX: 0, clientY: 0 });
      }
    };
  }, [model, tiles, isFine, layerName, kind]);

  // One tab stop a grid: the chosen kernel, or the first.
  useEffect(() => {
    const stop = cellOf(grid.current, chosen ?? kernelAt(tiles, 0));
    if (stop === null) return;
    stop.tabIndex = 0;
    stop.ariaSelected = String(chosen !== null);
    return () => {
      stop.tabIndex = -1;
      stop.ariaSelected = null;
    };
  }, [chosen, tiles]);

  const choose = (kernel: number): void => {
    if (overview === null) select({ layer: layerName, ...kernelAddress(shape, kernel) });
  };
  const hitAt = (event: { clientX: number; clientY: number }): Hit | null => {
    if (canvas.current === null) return null;
    const box = canvas.current.getBoundingClientRect();
    const size = tiles.unit / pixelRatio;
    return hitTest(tiles, (event.clientX - box.left) / size, (event.clientY - box.top) / size);
  };
  const point = (hit: Hit, at: { clientX: number; clientY: number }): void => {
    const { kernel } = hit;
    const index = overview === null ? hit.index : null;
    model.point({ layer: layerName, kind, kernel, index }, at);
  };
  const hover = (event: PointerEvent): void => {
    const hit = hitAt(event);
    if (hit === null) model.point(null, event);
    else point(hit, event);
  };
  /** The keyboard's pointer: a value of the kernel that has the focus, in `column` of its row. */
  const pointByKey = (kernel: number): void => {
    const inside = tiles.inputs?.at[column.current] ?? Math.min(column.current, tiles.kernelSize - 1);
    const index = kernel * tiles.kernelSize + inside;
    const place = placeOf(tiles, index);
    if (place === null || canvas.current === null) return;
    const { left, top } = canvas.current.getBoundingClientRect();
    const size = tiles.unit / pixelRatio;
    const half = tiles.cell / 2;
    point(
      { kernel, index },
      { clientX: left + (place.x + half) * size, clientY: top + (place.y + half) * size },
    );
  };
  const walk = (event: KeyboardEvent): void => {
    const from = kernelOf(event.target);
    if (from === null || isShortcut(event)) return;
    const along = isFine && shape.inputs === null ? alongUnit(event, column.current, shape.width) : null;
    if (along !== null) {
      event.preventDefault();
      event.stopPropagation();
      column.current = along;
      pointByKey(from);
      return;
    }
    const to = event.key === 'Enter' ? from : neighbour(event.key, from, tiles);
    if (to === null) return;
    event.preventDefault();
    event.stopPropagation();
    choose(to);
    cellOf(grid.current, to)?.focus();
  };

  const width = cssSize(tiles.width, tiles, pixelRatio);
  const height = cssSize(tiles.height, tiles, pixelRatio);
  return (
    <div className="scope-cell">
      <div
        ref={grid}
        className="picture"
        role={overview === null ? 'grid' : 'img'}
        aria-label={`${layerName} ${kind}`}
        data-cells={overview === null ? layerName : undefined}
        data-column={kind}
        data-size={tiles.kernelSize}
        style={{ width, height }}
        onPointerMove={hover}
        onPointerLeave={(event) => {
          model.point(null, event);
        }}
        onClick={(event) => {
          // A press without a pointer has no place, but a target.
          const kernel = event.detail === 0 ? kernelOf(event.target) : (hitAt(event)?.kernel ?? null);
          if (kernel !== null) choose(kernel);
        }}
        onKeyDown={walk}
        onFocus={({ target }) => {
          const kernel = kernelOf(target);
          if (isFine && kernel !== null && target.matches(':focus-visible')) pointByKey(kernel);
        }}
        onBlur={() => {
          if (isFine) model.point(null, { clientX: 0, clientY: 0 });
        }}
      >
        <canvas ref={canvas} style={{ width, height }} />
        <canvas ref={marks} className="marks" hidden />
        {overview === null && (
          <KernelCells layer={layerName} kind={kind} shape={shape} tiles={tiles} pixelRatio={pixelRatio} />
        )}
        <div ref={hoverOutline} className="outlines" aria-hidden="true">
          {rectsOf(tiles, 0).map((_, band) => (
            <div key={band} className="outline" hidden />
          ))}
        </div>
        {chosen !== null &&
          rectsOf(tiles, chosen).map((rect, band) => (
            <div key={band} className="outline chosen" style={outlineStyle(rect, tiles, pixelRatio)} />
          ))}
      </div>
      <span ref={tag} className="tag" hidden />
      {overview !== null && (
        <p className="caption">
          overview: means of {formatCount(overview.rows)} × {formatCount(overview.columns)}
        </p>
      )}
    </div>
  );
}

/** CSS pixels a value: from here on one can tell it from the next. */
const LOUPE_BELOW = 3;
/** Kernels that lie close are parted by a line; what is not there is one plain surface. */
function gapPixelOf(tiles: Tiles, values: Float32Array | null, table: ColourTable): number {
  if (values === null) return table.pixels[ZERO_INDEX] ?? 0;
  return tiles.gap === 1 ? tokens().gapPixel : 0;
}

/**
 * Says in words what is not of this step: `cleared`, `not yet`, `old, step 2,639`.
 * @param freshness the slot's own, where the caller does not know better
 */
export function showFreshness(
  picture: HTMLElement | null,
  tag: HTMLElement | null,
  slot: FrameSlot | null,
  freshness: Freshness = slot?.state.freshness ?? 'notYet',
): void {
  setData(picture, 'freshness', freshness);
  if (tag === null) return;
  setHidden(tag, freshness === 'fresh' || slot === null);
  const words = {
    fresh: '',
    old: `old, step ${formatCount(slot?.state.step ?? 0)}`,
    cleared: 'cleared',
    notYet: 'not yet',
  };
  setText(tag, words[freshness]);
}

function cellOf(grid: HTMLElement | null, kernel: number): HTMLElement | null {
  return grid?.querySelector<HTMLElement>(`[role=gridcell][data-kernel="${String(kernel)}"]`) ?? null;
}

function kernelOf(target: EventTarget): number | null {
  const cell = target instanceof HTMLElement ? target.closest<HTMLElement>('[role=gridcell]') : null;
  const kernel = cell?.dataset['kernel'];
  return kernel === undefined ? null : Number(kernel);
}
