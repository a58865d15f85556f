import { useMemo, useRef, type CSSProperties, type ReactElement } from 'react';
import type { NetworkPlan } from '../../../src-shared/model/network';
import { kernelAt } from '../../scene/arrangement';
import { networkRows } from '../../scene/network-rows';
import {
  arrangeRow,
  cssSize,
  scopeLayout,
  type LayerRowLayout,
  type ScopeLayout,
  type Viewport,
} from '../../scene/scope-layout';
import { rectsOf } from '../../scene/tiles';
import { sortingOf } from '../../state/sorting';
import { examplesUnderWay, standingLayer } from '../../state/standing';
import { useApp } from '../../state/store';
import { markAttributes, rowMark, type RowMark } from './row-mark';
import { ArithmeticCard } from '../arithmetic/arithmetic-card';
import { BetweenRow } from './between-row';
import { ColumnHeads } from './column-heads';
import { HoverTip } from './hover-tip';
import { KernelPicture } from './kernel-picture';
import { LayerHead } from './layer-head';
import { MapPicture } from './map-picture';
import { ScaleLabel } from './scale-label';
import { KERNEL_KINDS } from './scope-model';
import './scope.css';
import './standing.css';
import { useOrders } from './use-orders';
import { useViewport } from './use-viewport';

/** The network as rows of layers, each with its weights, their gradient, their update, and the chosen digit on its way. */
export function ScopeGrid(): ReactElement {
  const plan = useApp((state) => state.plan);
  const lost = useApp(({ connection }) => connection.state === 'lost');
  const body = useRef<HTMLDivElement>(null);
  const viewport = useViewport(body);
  const layout = useMemo(
    () => (plan === null || viewport === null ? null : scopeLayout(plan, viewport)),
    [plan, viewport],
  );
  const rows = useMemo(() => (plan === null ? [] : networkRows(plan)), [plan]);
  useOrders(rows);
  return (
    <section
      className="scope"
      aria-label="Scope"
      data-lost={lost}
      data-compact={layout?.compact}
      style={layout === null ? undefined : columnStyle(layout)}
    >
      {layout !== null && <ColumnHeads rows={rows} />}
      <div ref={body} className="scope-body">
        {plan !== null && layout !== null && viewport !== null && (
          <Rows plan={plan} layout={layout} viewport={viewport} />
        )}
      </div>
      <HoverTip />
      <ArithmeticCard />
    </section>
  );
}

function Rows({
  layout,
  viewport,
}: {
  plan: NetworkPlan;
  layout: ScopeLayout;
  viewport: Viewport;
}): ReactElement {
  const index = useApp((state) => standingLayer(state)?.index ?? null);
  const direction = useApp((state) => standingLayer(state)?.direction ?? null);
  const atLoss = useApp(
    ({ status }) => examplesUnderWay(status) !== null && status?.phase === 'loss' && status.layer === null,
  );
  const markOf = (row: ScopeLayout['rows'][number]): RowMark => rowMark(row, index, direction, atLoss);
  return (
    <div className="scope-rows" style={{ minWidth: layout.width }} data-direction={direction ?? undefined}>
      {layout.rows.map((row, at) =>
        row.kind === 'layer' ? (
          <LayerRowView
            key={row.layer.spec.name}
            row={row}
            mark={markOf(row)}
            pixelRatio={viewport.pixelRatio}
          />
        ) : (
          <BetweenRow key={at} row={row} mark={markOf(row)} pixelRatio={viewport.pixelRatio} />
        ),
      )}
      <div className="flow-line output" />
      <div className="flow-line error" />
    </div>
  );
}

function LayerRowView({
  row: unsorted,
  mark,
  pixelRatio,
}: {
  row: LayerRowLayout;
  mark: RowMark;
  pixelRatio: number;
}): ReactElement {
  const { name } = unsorted.layer.spec;
  const sorting = useApp(({ view }) => sortingOf(view.sorting, name));
  const row = useMemo(
    () =>
      arrangeRow(unsorted, {
        filters: sorting.filters?.taken?.order ?? null,
        inputs: sorting.inputs?.taken?.order ?? null,
      }),
    [unsorted, sorting],
  );
  return (
    <div
      className="scope-row layer"
      {...markAttributes(mark)}
      style={{ '--height': `${String(row.height)}px` }}
    >
      <LayerHead row={row} pixelRatio={pixelRatio} />
      <FilterIndices row={row} pixelRatio={pixelRatio} />
      {KERNEL_KINDS.map((kind) => (
        <Pair key={kind}>
          <KernelPicture row={row} kind={kind} pixelRatio={pixelRatio} />
          <ScaleLabel row={row} kind={kind} />
        </Pair>
      ))}
      <MapPicture layer={name} side="output" maps={row.maps} pixelRatio={pixelRatio} />
      <div />
      <MapPicture layer={name} side="error" maps={row.maps} pixelRatio={pixelRatio} />
    </div>
  );
}

const Pair = ({ children }: { children: ReactElement[] }): ReactElement => <>{children}</>;

/** Text of an index needs this much, CSS pixels. */
const INDEX_HEIGHT = 12;

/** The numbers of the filters beside their rows, where a row is a filter; as many as there is room for. */
function FilterIndices({ row, pixelRatio }: { row: LayerRowLayout; pixelRatio: number }): ReactElement {
  const { layer, kernels: tiles, overview, arrangement } = row;
  const chosen = useApp(({ view }) =>
    view.selection?.layer === layer.spec.name ? view.selection.filter : null,
  );
  const [filters = 1, inputs = 1, height] = row.weight.shape;
  const rowPerFilter =
    overview === null && height !== undefined && inputs > 1 && tiles.kernels === filters * inputs;
  const first = rectsOf(tiles, kernelAt(tiles, 0))[0];
  const second = rectsOf(tiles, kernelAt(tiles, inputs))[0];
  if (!rowPerFilter || first === undefined || second === undefined || second.x !== first.x) {
    return <div className="indices" />;
  }
  const pitch = cssSize(second.y - first.y, tiles, pixelRatio);
  const tile = cssSize(first.height, tiles, pixelRatio);
  const every = Math.ceil(INDEX_HEIGHT / pitch);
  const order = arrangement.filters ?? Array.from({ length: filters }, (_, filter) => filter);
  const chosenPlace = chosen === null ? null : order.indexOf(chosen);
  return (
    <div className="indices" aria-hidden="true">
      {order.map((filter, place) =>
        place === chosenPlace || (place % every === 0 && !crowded(place, chosenPlace, every)) ? (
          <span
            key={filter}
            className={filter === chosen ? 'chosen' : undefined}
            style={{ top: place * pitch + tile / 2 }}
          >
            {filter}
          </span>
        ) : null,
      )}
    </div>
  );
}

/** Whether an index would touch the chosen one, which is always shown. */
const crowded = (place: number, chosen: number | null, every: number): boolean =>
  chosen !== null && Math.abs(place - chosen) < every;

function columnStyle({ columns, rowPadding }: ScopeLayout): CSSProperties {
  const { pad, head, gutter, kernels, scale, lastScale, maps, betweenMaps } = columns;
  const pixels = (list: readonly number[]): string => list.map((value) => `${String(value)}px`).join(' ');
  const toOutput = pad + head + gutter + 3 * kernels + 2 * scale + lastScale;
  return {
    '--columns': pixels([
      head,
      gutter,
      kernels,
      scale,
      kernels,
      scale,
      kernels,
      lastScale,
      maps,
      betweenMaps,
      maps,
    ]),
    '--pad': `${String(pad)}px`,
    '--row-top': `${String(rowPadding.top)}px`,
    '--row-bottom': `${String(rowPadding.bottom)}px`,
    '--output-rail': `${String(toOutput - 7)}px`,
    '--error-rail': `${String(toOutput + maps + Math.floor(betweenMaps / 2))}px`,
  };
}
