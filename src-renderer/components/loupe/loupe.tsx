import { useCallback, useEffect, useMemo, useRef, useState, type ReactElement } from 'react';
import { Picture } from '../../draw/picture';
import { kernelShape, networkRows, type LayerRow } from '../../scene/network-rows';
import { neighbourhood, type Neighbourhood } from '../../scene/loupe';
import { formatNumber } from '../../scene/numbers';
import { tileGrid, type Tiles } from '../../scene/tiles';
import { appStore } from '../../state/store';
import { usePainter } from '../live';
import { usePage } from '../page-context';
import { MarkLayer } from '../scope/mark-layer';
import { setHidden, setText } from '../set-text';
import {
  isBlank,
  isKernelKind,
  KERNEL_KINDS,
  scopeModelOf,
  type Hover,
  type KernelKind,
  type ScopeModel,
} from '../scope/scope-model';
import './loupe.css';

/** Weights each way, and CSS pixels a weight. */
const SPAN = 15;
const CELL = 9;

const SYMBOLS: Readonly<Record<KernelKind, string>> = { weight: 'W', gradient: 'g', update: 'dW' };

/** A value of W, g or dW; of a map there is nothing to magnify. */
type MagnifiedValue = Pick<Hover, 'layer' | 'kind' | 'index'>;

/** What is under the loupe. */
interface Near {
  readonly index: number;
  readonly around: Neighbourhood;
  readonly row: LayerRow;
}

/** Its size, as the page must be laid out for it. */
interface Shown {
  readonly rows: number;
  readonly columns: number;
}

/**
 * W, g and dW round the value that is pointed at, large enough to tell one weight from the next, where the picture has
 * less than three pixels a weight: round `value`, or where the pointer or the focus is. The same colours and scales as the picture, in whole pixels.
 */
export function Loupe({ value = null }: { value?: MagnifiedValue | null }): ReactElement {
  const parts = usePage();
  const model = scopeModelOf(parts);
  const host = useRef<HTMLDivElement>(null);
  const caption = useRef<HTMLParagraphElement>(null);
  const [shown, setShown] = useState<Shown>({ rows: SPAN, columns: SPAN });
  const seen = useRef<{ readonly key: unknown[]; readonly near: Near | null }>({ key: [], near: null });
  // Whoever paints first looks: pictures are painted before what is round them.
  const near = useCallback((): Near | null => {
    const at = value ?? model.hover;
    const tiles = at === null ? undefined : model.finePictures.get(at.layer);
    const key = [at?.layer, at?.kind, at?.index, tiles];
    if (key.some((part, index) => part !== seen.current.key[index])) {
      seen.current = { key, near: at === null || tiles === undefined ? null : look(at, tiles) };
    }
    return seen.current.near;
  }, [model, value]);
  usePainter(() => {
    const found = near();
    if (host.current === null) return;
    setHidden(host.current, found === null);
    if (found === null) return;
    const { rows, columns } = found.around;
    if (rows !== shown.rows || columns !== shown.columns) setShown({ rows, columns });
    label(host.current, found.around, found.row);
    const isDense = kernelShape(found.row.weight.shape).inputs === null;
    setText(
      caption.current,
      isDense
        ? 'Each row is a unit, each column an input.'
        : 'Each row of kernels is a filter, each column an input.',
    );
  });
  return (
    <div ref={host} className="loupe" hidden>
      <div className="loupe-rows" style={{ height: shown.rows * CELL }}>
        <span data-at="first" />
        <span data-at="here" />
        <span data-at="last" />
      </div>
      {KERNEL_KINDS.map((kind) => (
        <Magnified key={kind} kind={kind} model={model} near={near} shown={shown} />
      ))}
      <div className="loupe-columns" style={{ width: shown.columns * CELL }}>
        <span data-at="first" />
        <span data-at="here" />
        <span data-at="last" />
      </div>
      <p ref={caption} className="loupe-caption" />
    </div>
  );
}

/** Null where the picture is large enough to be read without a loupe. */
function look({ layer, kind, index }: MagnifiedValue, tiles: Tiles): Near | null {
  const { plan } = appStore.getState();
  if (plan === null || index === null || !isKernelKind(kind)) return null;
  const row = networkRows(plan).find((one) => isRowOf(one, layer));
  if (row?.kind !== 'layer') return null;
  return { index, around: neighbourhood(tiles, index, SPAN), row };
}

const isRowOf = (row: ReturnType<typeof networkRows>[number], layer: string): boolean =>
  row.kind === 'layer' && row.layer.spec.name === layer;

/** One of W, g and dW, with the value in words below. */
function Magnified({
  kind,
  model,
  near,
  shown: { rows, columns },
}: {
  kind: KernelKind;
  model: ScopeModel;
  near: () => Near | null;
  shown: Shown;
}): ReactElement {
  const { frames } = usePage();
  const pixelRatio = window.devicePixelRatio;
  const canvas = useRef<HTMLCanvasElement>(null);
  const outline = useRef<HTMLDivElement>(null);
  const kernels = useRef<HTMLDivElement>(null);
  const value = useRef<HTMLElement>(null);
  const marks = useRef<HTMLCanvasElement>(null);
  const picture = useRef<Picture | null>(null);
  const markLayer = useRef<MarkLayer | null>(null);
  const tiles = useMemo(() => {
    const cell = Math.max(1, Math.floor(CELL * pixelRatio));
    return tileGrid({ count: rows * columns, tileHeight: 1, tileWidth: 1, across: columns, cell, gap: 0 });
  }, [rows, columns, pixelRatio]);
  useEffect(() => {
    picture.current = canvas.current === null ? null : new Picture(canvas.current, tiles);
    markLayer.current = marks.current === null ? null : new MarkLayer(marks.current, { tiles, pixelRatio });
  }, [tiles, pixelRatio]);
  usePainter(() => {
    const found = near();
    if (found === null || picture.current === null) return;
    const { around, row, index } = found;
    if (around.rows !== rows || around.columns !== columns) return;
    const slot = frames.latest()?.slot(row.weight.name, kind) ?? null;
    const blank = slot === null || isBlank(slot) || slot.slot.block !== null;
    const scales = Float64Array.from(around.kernels, (kernel) =>
      kernel < 0 ? 1 : model.scaleOf(row.weight.name, kind, kernel).value,
    );
    const values = blank ? null : Float32Array.from(around.indices, (at) => slot.values[at] ?? 0);
    const table = model.colours();
    picture.current.paint({ values, scales, table, gapPixel: 0 });
    const { serial } = frames.latest() ?? { serial: 0 };
    markLayer.current?.paintNonFinite(values, `${String(serial)} ${table.theme} ${around.indices.join()}`);
    const here = blank ? null : (slot.values[index] ?? null);
    setText(
      value.current,
      here !== null ? formatNumber(here) : slot?.state.freshness === 'cleared' ? 'cleared' : 'not yet',
    );
    if (outline.current !== null) {
      outline.current.style.left = `${String(around.column * CELL)}px`;
      outline.current.style.top = `${String(around.row * CELL)}px`;
    }
    markKernels(kernels.current, around);
  });
  const size = (tiles.unit * tiles.width) / columns / pixelRatio;
  return (
    <div className="loupe-picture">
      <div>
        <canvas ref={canvas} style={{ width: columns * size, height: rows * size }} />
        <canvas ref={marks} className="marks" hidden />
        <div ref={kernels} className="loupe-kernels" />
        <div ref={outline} className="loupe-outline" style={{ width: CELL, height: CELL }} />
      </div>
      <p>
        {SYMBOLS[kind]} <b ref={value} />
      </p>
    </div>
  );
}

/** Lines where one kernel ends and the next begins; the rows of a dense matrix are kernels themselves and have none. */
function markKernels(
  host: HTMLElement | null,
  { kernelRows, kernelColumns, rowInKernel, columnInKernel }: Neighbourhood,
): void {
  if (host === null) return;
  setHidden(host, kernelRows === 1);
  host.style.backgroundSize = `${String(kernelColumns * CELL)}px ${String(kernelRows * CELL)}px`;
  host.style.backgroundPosition = `${String(-columnInKernel * CELL)}px ${String(-rowInKernel * CELL)}px`;
}

/** Which rows and columns these are: the first, the one that is pointed at and the last, where they do not touch. */
function label(host: HTMLElement, around: Neighbourhood, { weight }: LayerRow): void {
  const { inputs, width } = kernelShape(weight.shape);
  const { rows, columns, indices, kernels } = around;
  const unitOf = (row: number): string => {
    const kernel = kernels[row * columns] ?? 0;
    return String(inputs === null ? kernel : Math.floor(kernel / inputs));
  };
  const inputOf = (column: number): string =>
    String(inputs === null ? (indices[column] ?? 0) % width : (kernels[column] ?? 0) % inputs);
  place(host, '.loupe-rows', 'top', rows, around.row, unitOf);
  place(host, '.loupe-columns', 'left', columns, around.column, inputOf);
}

/** Rows or columns that the texts of two need between them. */
const APART = { top: 2, left: 3 };

function place(
  host: HTMLElement,
  axis: string,
  side: 'top' | 'left',
  count: number,
  here: number,
  text: (at: number) => string,
): void {
  const spans = host.querySelectorAll<HTMLElement>(`${axis} > span`);
  [0, here, count - 1].forEach((at, order) => {
    const span = spans[order];
    if (span === undefined) return;
    setHidden(span, order !== 1 && Math.abs(at - here) < APART[side]);
    span.style[side] = `${String((at + 0.5) * CELL)}px`;
    setText(span, text(at));
  });
}
