import { useEffect, useMemo, useRef, type ReactElement, type RefObject } from 'react';
import { Picture } from '../../draw/picture';
import { kernelNumber, kernelShape, type LayerRow } from '../../scene/network-rows';
import { hitTest, rectsOf, tileGrid, type Tiles } from '../../scene/tiles';
import type { Selection } from '../../state/store';
import { usePainter, useWords } from '../live';
import { usePage } from '../page-context';
import { isBlank, kernelValues, scopeModelOf, type KernelKind } from '../scope/scope-model';
import { MarkLayer } from '../scope/mark-layer';
import { setHidden } from '../set-text';

/** Width of the rail's content, CSS pixels. */
const WIDTH = 230;
const LARGEST_CELL = 12;
const MAP_GAP = 3;

/** How the values of a kernel are laid out to be looked at: the maps a dense unit reads, its inputs, or a large kernel. */
export interface MatrixShape {
  /** Tiles, and the rows and columns of each. */
  readonly tiles: number;
  readonly height: number;
  readonly width: number;
}

export function matrixTiles({ tiles, height, width }: MatrixShape, pixelRatio: number): Tiles {
  const single = height * width === 1;
  const gap = Math.max(1, Math.round((single ? 1 : MAP_GAP) * pixelRatio));
  const room = Math.floor(WIDTH * pixelRatio);
  // As few lines as leave a value legible.
  const across = single
    ? Math.min(tiles, 25)
    : Math.min(tiles, Math.max(1, Math.floor((room + gap) / (width * 5 * pixelRatio + gap))));
  const cell = Math.max(
    1,
    Math.min(
      Math.floor((room - (across - 1) * gap) / (across * width)),
      Math.floor(LARGEST_CELL * pixelRatio),
    ),
  );
  return tileGrid({ count: tiles, tileHeight: height, tileWidth: width, across, cell, gap });
}

/** The values of a kernel as a picture; where the pointer is, is told by `pointed`, an index or null. */
export function KernelMatrix({
  kind,
  row,
  selection,
  shape,
  pointed,
  onPoint,
}: {
  kind: KernelKind;
  row: LayerRow;
  selection: Selection;
  shape: MatrixShape;
  pointed: RefObject<number | null>;
  onPoint: (index: number | null) => void;
}): ReactElement {
  const parts = usePage();
  const model = scopeModelOf(parts);
  const canvas = useRef<HTMLCanvasElement>(null);
  const outline = useRef<HTMLDivElement>(null);
  const marks = useRef<HTMLCanvasElement>(null);
  const picture = useRef<Picture | null>(null);
  const markLayer = useRef<MarkLayer | null>(null);
  const drawn = useRef('');
  const pixelRatio = window.devicePixelRatio;
  const tiles = useMemo(() => matrixTiles(shape, pixelRatio), [shape, pixelRatio]);
  const size = tiles.unit / pixelRatio;
  useEffect(() => {
    picture.current = canvas.current === null ? null : new Picture(canvas.current, tiles);
    markLayer.current = marks.current === null ? null : new MarkLayer(marks.current, { tiles, pixelRatio });
    drawn.current = '';
    parts.loop.invalidateWords();
  }, [tiles, pixelRatio, parts.loop]);
  // Beside numbers of one picture it shows the same one.
  useWords(() => {
    model.refresh();
    const view = parts.frames.inWords();
    const kernel = view === null ? null : kernelValues(view, row, kind, selection);
    const scale = model.scaleOf(
      row.weight.name,
      kind,
      kernelNumber(kernelShape(row.weight.shape), selection),
    ).value;
    const table = model.colours();
    const key = [view?.serial, scale, table.theme, selection.filter, selection.input].join();
    if (key !== drawn.current) {
      drawn.current = key;
      const values = kernel === null || isBlank(kernel.slot) ? null : kernel.values;
      picture.current?.paint({ values, scales: Float64Array.of(scale), table, gapPixel: 0 });
      markLayer.current?.paintNonFinite(values, key);
    }
  }, 'kernel');
  usePainter(() => {
    placeOutline(outline.current, tiles, size, pointed.current);
  });
  return (
    <div
      className="kernel-matrix"
      role="img"
      aria-label={`${kind} of the chosen kernel`}
      style={{ width: tiles.width * size, height: tiles.height * size }}
      onPointerMove={(event) => {
        const box = event.currentTarget.getBoundingClientRect();
        const hit = hitTest(tiles, (event.clientX - box.left) / size, (event.clientY - box.top) / size);
        onPoint(hit?.index ?? null);
      }}
      onPointerLeave={() => {
        onPoint(null);
      }}
    >
      <canvas ref={canvas} style={{ width: tiles.width * size, height: tiles.height * size }} />
      <canvas ref={marks} className="marks" hidden />
      <div ref={outline} className="outline" hidden />
    </div>
  );
}

function placeOutline(outline: HTMLElement | null, tiles: Tiles, size: number, index: number | null): void {
  if (outline === null) return;
  setHidden(outline, index === null);
  if (index === null) return;
  const tile = rectsOf(tiles, Math.floor(index / tiles.kernelSize))[0];
  if (tile === undefined) return;
  const columns = tile.width / tiles.cell;
  const inside = index % tiles.kernelSize;
  Object.assign(outline.style, {
    left: `${String((tile.x + (inside % columns) * tiles.cell) * size - 1)}px`,
    top: `${String((tile.y + Math.floor(inside / columns) * tiles.cell) * size - 1)}px`,
    width: `${String(tiles.cell * size + 2)}px`,
    height: `${String(tiles.cell * size + 2)}px`,
  });
}
