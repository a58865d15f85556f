import type { ReactElement } from 'react';
import { kernelShape } from '../../scene/network-rows';
import { formatCount } from '../../scene/numbers';
import type { LayerRowLayout } from '../../scene/scope-layout';
import { SORT_MEASURES, type SortAxis, type SortMeasure } from '../../scene/sorting';
import { sortAgain, sortBy, sortingOf } from '../../state/sorting';
import { useApp, type AxisSorting, type LayerSorting } from '../../state/store';
import { AgainIcon, ChevronIcon, SortColumnsIcon, SortRowsIcon } from '../icons';
import { keyHint } from '../keymap';
import { Tip } from '../tip';
import './sort-control.css';

const NAMES: Readonly<Record<SortMeasure, string>> = {
  index: 'index',
  weight: '|W|',
  gradient: '|g|',
  ratio: '|dW|/|W|',
  change10: 'change, 10 steps',
  change100: 'change, 100 steps',
  change1000: 'change, 1,000 steps',
};

/** Where there is room for little; the words below say of how many steps a change is. */
const SHORT_NAMES: Readonly<Record<SortMeasure, string>> = {
  ...NAMES,
  change10: 'change',
  change100: 'change',
  change1000: 'change',
};

/** What a row and a column of a layer's matrix are called; null: it has but one. */
function axisNames({ weight }: LayerRowLayout): Readonly<Record<SortAxis, string | null>> {
  const { inputs } = kernelShape(weight.shape);
  return { filters: inputs === null ? 'units' : 'filters', inputs: inputs === 1 ? null : 'inputs' };
}

/** What holds the order up: `by |g| of step 12`, `by change from step 1 to 12`. */
function orderWords({ by, taken }: AxisSorting): string {
  if (taken === null) return '';
  const step = formatCount(taken.step);
  if (taken.since !== null) return `by change of W from step ${formatCount(taken.since)} to ${step}`;
  return `by ${NAMES[by]} of step ${step}`;
}

/** What is sorted, and by what: `Filters by |g| of step 12.`; both in one sentence where they are sorted alike. */
function words(row: LayerRowLayout, sorting: LayerSorting): string {
  const names = axisNames(row);
  const phrases = (['filters', 'inputs'] as const).flatMap((axis) => {
    const [name, how] = [names[axis], sorting[axis]];
    return name === null || how === null ? [] : [{ name, how: orderWords(how) }];
  });
  const [first, second] = phrases;
  const sentences =
    first !== undefined && first.how === second?.how
      ? [`${first.name} and ${second.name} ${first.how}`]
      : phrases.map(({ name, how }) => `${name} ${how}`);
  return sentences.map((text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`).join(' ');
}

/** Rows and columns of the layer's matrix by something else than their index, in words: where the head is tall. */
export function SortFields({ row }: { row: LayerRowLayout }): ReactElement {
  const layer = row.layer.spec.name;
  const sorting = useApp(({ view }) => sortingOf(view.sorting, layer));
  const names = axisNames(row);
  const how = words(row, sorting);
  return (
    <div className="sort-fields">
      {(['filters', 'inputs'] as const).map((axis) => {
        const name = names[axis];
        return name === null ? null : (
          <div key={axis} className="sort-control sort-field">
            <span>Sort {name} by</span>
            <b>{SHORT_NAMES[sorting[axis]?.by ?? 'index']}</b>
            <ChevronIcon />
            <MeasureSelect layer={layer} axis={axis} name={name} sorting={sorting[axis]} />
          </div>
        );
      })}
      {how !== '' && (
        <div className="sort-words">
          <span>{how}</span>
          <AgainButton layer={layer} />
        </div>
      )}
    </div>
  );
}

/** The same in the room of two icons. */
export function SortButtons({ row }: { row: LayerRowLayout }): ReactElement {
  const layer = row.layer.spec.name;
  const sorting = useApp(({ view }) => sortingOf(view.sorting, layer));
  const names = axisNames(row);
  const isSorted = sorting.filters !== null || sorting.inputs !== null;
  return (
    <div className="sort-buttons">
      {(['filters', 'inputs'] as const).map((axis) => {
        const name = names[axis];
        const how = sorting[axis];
        const tip = how === null ? `Sort ${name ?? ''} by` : `${name ?? ''} ${orderWords(how)}`;
        return name === null ? null : (
          <Tip key={axis} text={tip} hint={keyHint('sortByNext')}>
            <div className="sort-control sort-button" data-sorted={how !== null}>
              {axis === 'filters' ? <SortRowsIcon /> : <SortColumnsIcon />}
              <MeasureSelect layer={layer} axis={axis} name={name} sorting={how} />
            </div>
          </Tip>
        );
      })}
      {isSorted && <AgainButton layer={layer} />}
    </div>
  );
}

function MeasureSelect({
  layer,
  axis,
  name,
  sorting,
}: {
  layer: string;
  axis: SortAxis;
  name: string;
  sorting: AxisSorting | null;
}): ReactElement {
  return (
    <select
      aria-label={`Sort ${layer} ${name} by`}
      value={sorting?.by ?? 'index'}
      onChange={({ currentTarget: { value } }) => {
        const by = SORT_MEASURES.find((measure) => measure === value);
        if (by !== undefined) sortBy(layer, axis, by);
      }}
    >
      {SORT_MEASURES.map((by) => (
        <option key={by} value={by}>
          {NAMES[by]}
        </option>
      ))}
    </select>
  );
}

/** The order holds still while training runs; this takes it anew. */
function AgainButton({ layer }: { layer: string }): ReactElement {
  return (
    <Tip text="Sort again, by the numbers of now" hint={keyHint('sortAgain')}>
      <button
        type="button"
        className="icon-button sort-again"
        aria-label={`Sort ${layer} again`}
        onClick={() => {
          sortAgain(layer);
        }}
      >
        <AgainIcon />
      </button>
    </Tip>
  );
}
