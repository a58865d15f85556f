import { networkRows } from '../scene/network-rows';
import type { SortAxis, SortMeasure } from '../scene/sorting';
import { appStore, type AxisSorting, type LayerSorting, type TakenOrder } from './store';

const UNSORTED: LayerSorting = { filters: null, inputs: null };
const AXES = ['filters', 'inputs'] as const;
/** What the key goes through. */
const ROUND: readonly SortMeasure[] = ['index', 'weight', 'gradient', 'ratio', 'change100'];

export const sortingOf = (sorting: Readonly<Record<string, LayerSorting>>, layer: string): LayerSorting =>
  sorting[layer] ?? UNSORTED;

function change(layer: string, of: (sorting: LayerSorting) => LayerSorting): void {
  appStore.setState(({ view }) => ({
    view: { ...view, sorting: { ...view.sorting, [layer]: of(sortingOf(view.sorting, layer)) } },
  }));
}

/** Asks for an order of the rows or columns of a layer's matrix; whoever sees the pictures takes it. */
export const sortBy = (layer: string, axis: SortAxis, by: SortMeasure): void => {
  change(layer, (sorting) => ({
    ...sorting,
    [axis]: by === 'index' ? null : { by, taken: sorting[axis]?.taken ?? null, wanted: true },
  }));
};

/** Asks for the same order by the numbers as they are now. */
export const sortAgain = (layer: string): void => {
  change(layer, ({ filters, inputs }) => ({ filters: asked(filters), inputs: asked(inputs) }));
};

const asked = (sorting: AxisSorting | null): AxisSorting | null =>
  sorting === null ? null : { ...sorting, wanted: true };

/** @param taken null: it cannot be had, so the order is again that of the tensor. */
export const setTaken = (layer: string, axis: SortAxis, taken: TakenOrder | null): void => {
  change(layer, (sorting) => {
    const { by } = sorting[axis] ?? {};
    return { ...sorting, [axis]: by === undefined || taken === null ? null : { by, taken, wanted: false } };
  });
};

/** The layer of the chosen kernel, or every layer when none is chosen. */
function layersToSort(): string[] {
  const { plan, view } = appStore.getState();
  if (view.selection !== null) return [view.selection.layer];
  return plan === null
    ? []
    : networkRows(plan).flatMap((row) => (row.kind === 'layer' ? [row.layer.spec.name] : []));
}

/** Rows and columns by the next of the measures. */
export const sortByNext = (): void => {
  const layers = layersToSort();
  const { view } = appStore.getState();
  const by = sortingOf(view.sorting, layers[0] ?? '').filters?.by ?? 'index';
  const next = ROUND[(ROUND.indexOf(by) + 1) % ROUND.length] ?? 'index';
  for (const layer of layers) for (const axis of AXES) sortBy(layer, axis, next);
};

export const sortAllAgain = (): void => {
  for (const layer of layersToSort()) sortAgain(layer);
};
