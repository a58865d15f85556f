import { useRef, type ReactElement } from 'react';
import { colourIndex, NON_FINITE_INDEX } from '../../scene/colour-table';
import { kernelNumber, kernelShape, type LayerRow } from '../../scene/network-rows';
import { formatExponent, formatNumber, numberColumn, type NumberColumn } from '../../scene/numbers';
import { norm } from '../../scene/statistics';
import type { Selection } from '../../state/store';
import { useWords } from '../live';
import { usePage } from '../page-context';
import { setText } from '../set-text';
import { isBlank, kernelValues, scopeModelOf, type KernelKind } from '../scope/scope-model';

const WORDS: Readonly<Record<KernelKind, readonly [symbol: string, words: string]>> = {
  weight: ['W', 'weights'],
  gradient: ['g', 'gradient'],
  update: ['dW', 'update'],
};

/** Title of W, g or dW of the chosen kernel: the common factor of its numbers, and its norm. */
export function KernelTitle({
  kind,
  row,
  selection,
}: {
  kind: KernelKind;
  row: LayerRow;
  selection: Selection;
}): ReactElement {
  const { frames } = usePage();
  const factor = useRef<HTMLSpanElement>(null);
  const size = useRef<HTMLElement>(null);
  const [symbol, words] = WORDS[kind];
  const shape = kernelShape(row.weight.shape);
  useWords(() => {
    const view = frames.inWords();
    const kernel = view === null ? null : kernelValues(view, row, kind, selection);
    if (kernel === null || isBlank(kernel.slot)) {
      setText(factor.current, words);
      setText(size.current, kernel?.slot.state.freshness === 'cleared' ? 'cleared' : 'not yet');
      return;
    }
    const { exponent } = columnFor(kind, kernel.values, shape.width);
    const age = kernel.slot.state.freshness === 'old' ? ', old' : '';
    setText(factor.current, `${words}${exponent === 0 ? '' : `, times ${formatExponent(exponent)}`}${age}`);
    setText(size.current, `norm ${formatNumber(norm(kernel.values))}`);
  }, 'kernel');
  return (
    <div className="kernel-title">
      <b>{symbol}</b>
      <span ref={factor}>{words}</span>
      <em ref={size} />
    </div>
  );
}

/** The values of a conv kernel as numbers on the colours of the scope. */
export function KernelTable({
  kind,
  row,
  selection,
}: {
  kind: KernelKind;
  row: LayerRow;
  selection: Selection;
}): ReactElement {
  const parts = usePage();
  const model = scopeModelOf(parts);
  const table = useRef<HTMLDivElement>(null);
  const shape = kernelShape(row.weight.shape);
  useWords(() => {
    model.refresh();
    const view = parts.frames.inWords();
    const kernel = view === null ? null : kernelValues(view, row, kind, selection);
    const blank = kernel === null || isBlank(kernel.slot);
    const { css, text } = model.colours();
    const scale = model.scaleOf(row.weight.name, kind, kernelNumber(shape, selection)).value;
    const numbers = blank ? null : columnFor(kind, kernel.values, shape.width);
    const cells = table.current?.querySelectorAll<HTMLElement>('[role=cell]') ?? [];
    cells.forEach((cell, index) => {
      const value = blank ? 0 : (kernel.values[index] ?? 0);
      const colour = colourIndex(value, scale);
      setText(cell, numbers === null ? '' : numbers.write(value));
      const background = css[colour] ?? '';
      if (cell.dataset['colour'] === background) return;
      cell.dataset['colour'] = background;
      const isNumber = colour !== NON_FINITE_INDEX;
      cell.classList.toggle('not-finite', !isNumber);
      cell.style.background = isNumber ? background : '';
      cell.style.color = isNumber ? (text[colour] ?? '') : '';
    });
  }, 'kernel');
  const name = `${kind} of the chosen kernel`;
  return (
    <div
      ref={table}
      className="kernel-table"
      role="table"
      aria-label={name}
      style={{ gridTemplateColumns: `repeat(${String(shape.width)}, ${String(columnWidth(shape.width))}px)` }}
    >
      {Array.from({ length: shape.height }, (_, line) => (
        <div role="row" key={line}>
          {Array.from({ length: shape.width }, (__, column) => (
            <div role="cell" key={column} />
          ))}
        </div>
      ))}
    </div>
  );
}

/** Width of the rail's content, CSS pixels. */
const WIDTH = 230;

/** Whole pixels, or some of the lines between columns would be rounded away. */
const columnWidth = (columns: number): number => Math.floor((WIDTH - (columns - 1)) / columns);

/** Characters of a row of numbers that fit into the rail, gaps between them included. */
const ROW_CHARACTERS = 40;

/** Weights are read as they are while they are of a usual size; gradients and updates by their common power of ten. */
const columnFor = (kind: KernelKind, values: Float32Array, columns: number): NumberColumn =>
  numberColumn(values, {
    plain: kind === 'weight' ? [-2, 1] : [0, 0],
    plainDecimals: () => (kind === 'weight' ? 3 : 2),
    decimals: 2,
    leading: 1,
    width: Math.min(7, Math.floor(ROW_CHARACTERS / columns) - 1),
  });
