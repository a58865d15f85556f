import { useMemo, useRef, type ReactElement, type RefObject } from 'react';
import type { NetworkPlan } from '../../../src-shared/model/network';
import { kernelName, kernelShape, networkRows, type LayerRow } from '../../scene/network-rows';
import { formatCount, formatNumber, formatPercent } from '../../scene/numbers';
import { largest, mean, positiveShare } from '../../scene/statistics';
import { useApp, type Selection } from '../../state/store';
import { useWords } from '../live';
import { usePage } from '../page-context';
import { setText } from '../set-text';
import { isBlank, kernelValues, KERNEL_KINDS } from '../scope/scope-model';
import './inspector.css';
import { KernelHistories } from './kernel-histories';
import { KernelMatrix, type MatrixShape } from './kernel-matrix';
import { KernelTable, KernelTitle } from './kernel-table';

/** Kernels of more values than this a side are shown as a picture, not as numbers. */
const LARGEST_TABLE = 7;

/** The chosen kernel in numbers: W, g and dW, its history over the run, and what it makes of the digit. */
export function Inspector(): ReactElement {
  const plan = useApp((state) => state.plan);
  const selection = useApp(({ view }) => view.selection);
  const row = useMemo(() => rowOf(plan, selection), [plan, selection]);
  if (plan === null || selection === null || row === null) {
    return (
      <div className="inspector">
        <h2>Kernel</h2>
        <p className="hint">Choose a kernel in W, g or dW to read its numbers.</p>
      </div>
    );
  }
  return <Chosen plan={plan} row={row} selection={selection} />;
}

function Chosen({
  plan,
  row,
  selection,
}: {
  plan: NetworkPlan;
  row: LayerRow;
  selection: Selection;
}): ReactElement {
  const { frames, loop } = usePage();
  const step = useRef<HTMLElement>(null);
  const pointed = useRef<number | null>(null);
  const matrix = useMemo(() => matrixShape(plan, row), [plan, row]);
  useWords(() => {
    const view = frames.inWords();
    const state = view?.slot(row.weight.name, 'weight')?.state;
    setText(step.current, state === undefined ? '' : `step ${formatCount(state.step)}`);
  }, 'kernel');
  return (
    <div className="inspector">
      <h2>
        {kernelName(selection.layer, selection)} <em ref={step} />
      </h2>
      {KERNEL_KINDS.map((kind) => (
        <div key={kind}>
          <KernelTitle kind={kind} row={row} selection={selection} />
          {matrix === null ? (
            <KernelTable kind={kind} row={row} selection={selection} />
          ) : (
            <KernelMatrix
              kind={kind}
              row={row}
              selection={selection}
              shape={matrix}
              pointed={pointed}
              onPoint={(index) => {
                pointed.current = index;
                loop.invalidate();
              }}
            />
          )}
        </div>
      ))}
      {matrix !== null && <Pointed row={row} selection={selection} shape={matrix} pointed={pointed} />}
      <KernelHistories row={row} selection={selection} />
      <Output row={row} selection={selection} />
    </div>
  );
}

function rowOf(plan: NetworkPlan | null, selection: Selection | null): LayerRow | null {
  if (plan === null || selection === null) return null;
  const row = networkRows(plan).find(
    (one) => one.kind === 'layer' && one.layer.spec.name === selection.layer,
  );
  return row?.kind === 'layer' ? row : null;
}

/** Null for a conv kernel small enough for a table. A dense unit that reads flattened maps is shown as those maps. */
function matrixShape(plan: NetworkPlan, row: LayerRow): MatrixShape | null {
  const { inputs, height, width } = kernelShape(row.weight.shape);
  if (inputs !== null) {
    return Math.max(height, width) <= LARGEST_TABLE ? null : { tiles: 1, height, width };
  }
  const flatten = plan.layers.findLast(
    ({ spec, index, outputShape }) =>
      spec.kind === 'flatten' && index < row.layer.index && outputShape[0] === width,
  );
  const [maps, mapHeight, mapWidth] = flatten?.inputShape ?? [];
  return maps === undefined || mapHeight === undefined || mapWidth === undefined
    ? { tiles: width, height: 1, width: 1 }
    : { tiles: maps, height: mapHeight, width: mapWidth };
}

/** The value under the pointer, in W, g and dW. */
function Pointed({
  row,
  selection,
  shape,
  pointed,
}: {
  row: LayerRow;
  selection: Selection;
  shape: MatrixShape;
  pointed: RefObject<number | null>;
}): ReactElement {
  const { frames } = usePage();
  const place = useRef<HTMLDivElement>(null);
  const values = useRef<HTMLDivElement>(null);
  useWords(() => {
    const index = pointed.current;
    const view = frames.inWords();
    setText(place.current, index === null ? 'Point at a value to read it.' : placeName(index, shape));
    const texts = KERNEL_KINDS.map((kind) => {
      const kernel = view === null || index === null ? null : kernelValues(view, row, kind, selection);
      if (kernel === null || index === null || isBlank(kernel.slot)) return '';
      return formatNumber(kernel.values[index] ?? 0);
    });
    texts.forEach((text, at) => {
      setText(values.current?.children[at]?.lastElementChild ?? null, text);
    });
    if (values.current !== null) values.current.style.visibility = index === null ? 'hidden' : '';
  }, 'kernel');
  return (
    <div className="pointed">
      <div ref={place} />
      <div ref={values} className="pointed-values">
        <span>
          W <b />
        </span>
        <span>
          g <b />
        </span>
        <span>
          dW <b />
        </span>
      </div>
    </div>
  );
}

function placeName(index: number, { height, width }: MatrixShape): string {
  const size = height * width;
  if (size === 1) return `input ${String(index)}`;
  const inside = index % size;
  return `input ${String(index)}: map ${String(Math.floor(index / size))}, row ${String(Math.floor(inside / width))}, column ${String(inside % width)}`;
}

/** What the filter (or unit) gives for the chosen digit, and its bias. */
function Output({ row, selection }: { row: LayerRow; selection: Selection }): ReactElement {
  const { frames } = usePage();
  const host = useRef<HTMLDListElement>(null);
  const whose = useRef<HTMLSpanElement>(null);
  const { layer } = row;
  const isMap = layer.outputShape.length === 3;
  useWords(() => {
    const view = frames.inWords();
    const output = view?.slot(layer.spec.name, 'digitOutput') ?? null;
    const bias = view?.slot(`${layer.spec.name}.bias`, 'weight') ?? null;
    const size = (output?.values.length ?? 0) / (layer.outputShape[0] ?? 1);
    const values =
      output === null || isBlank(output) || output.slot.block !== null
        ? null
        : output.values.subarray(selection.filter * size, (selection.filter + 1) * size);
    const biasValue = bias?.values[selection.filter];
    const texts = [
      biasValue === undefined ? '–' : formatNumber(biasValue),
      ...(values === null
        ? ['–', '–', '–']
        : isMap
          ? [
              formatNumber(mean(values)),
              formatNumber(largest(values)),
              formatPercent(positiveShare(values), 0),
            ]
          : [formatNumber(values[0] ?? 0)]),
    ];
    const cells = host.current?.querySelectorAll('dd') ?? [];
    cells.forEach((cell, index) => {
      setText(cell, texts[index] ?? '');
    });
    // The digit goes through the network less often than there are pictures.
    const isOld = output?.state.freshness === 'old';
    setText(whose.current, isOld ? `at step ${formatCount(output.state.step)}` : 'of the digit');
  }, 'kernel');
  return (
    <dl ref={host} className="output-facts">
      <dt>Bias of {isMap ? `filter ${String(selection.filter)}` : `unit ${String(selection.filter)}`}</dt>
      <dd />
      {isMap ? (
        <>
          <dt>
            Output <span ref={whose}>of the digit</span>, mean
          </dt>
          <dd />
          <dt>Largest</dt>
          <dd />
          <dt>Above zero</dt>
          <dd />
        </>
      ) : (
        <>
          <dt>
            Output <span ref={whose}>of the digit</span>
          </dt>
          <dd />
        </>
      )}
    </dl>
  );
}
