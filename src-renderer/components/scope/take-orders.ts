import type { FrameView } from '../../frames/frame-store';
import type { WeightSnapshots } from '../../frames/weight-snapshots';
import { kernelShape, type LayerRow } from '../../scene/network-rows';
import { axisNorms, changeSteps, largestFirst, type SortAxis } from '../../scene/sorting';
import { notify } from '../../state/actions';
import { setTaken, sortingOf } from '../../state/sorting';
import { appStore, type AxisSorting, type TakenOrder } from '../../state/store';
import { isBlank, type KernelKind } from './scope-model';

/** Takes the orders that were asked for from a picture, largest first; what it cannot be taken by is said in words. */
export function takeOrders(
  rows: readonly LayerRow[],
  view: FrameView | null,
  snapshots: WeightSnapshots,
): void {
  for (const row of rows) {
    const layer = row.layer.spec.name;
    for (const axis of ['filters', 'inputs'] as const) {
      const sorting = sortingOf(appStore.getState().view.sorting, layer)[axis];
      if (sorting?.wanted !== true) continue;
      const found =
        view === null ? 'there is no picture yet' : takeOrder(row, axis, sorting.by, view, snapshots);
      if (typeof found !== 'string') setTaken(layer, axis, found);
      else {
        setTaken(layer, axis, null);
        notify({ code: 'not-now', message: `${layer} stays in the order of its indices: ${found}.` });
      }
    }
  }
}

/** The order, or why there is none. */
function takeOrder(
  { weight }: LayerRow,
  axis: SortAxis,
  by: AxisSorting['by'],
  view: FrameView,
  snapshots: WeightSnapshots,
): TakenOrder | string {
  const shape = kernelShape(weight.shape);
  const norms = (kind: KernelKind): { norms: Float64Array; step: number } | string => {
    const slot = view.slot(weight.name, kind);
    if (slot === null || slot.slot.block !== null) return 'its single values are not on the screen';
    if (isBlank(slot)) {
      const what = kind === 'gradient' ? 'gradient' : 'update';
      return slot.state.freshness === 'cleared' ? `the ${what} is cleared` : `there is no ${what} yet`;
    }
    return { norms: axisNorms(slot.values, shape, axis), step: slot.state.step };
  };
  const weights = norms('weight');
  if (typeof weights === 'string') return weights;
  const age = changeSteps(by);
  if (age !== null) {
    const before = snapshots.earlier(weight.name, weights.step, age);
    const now = view.slot(weight.name, 'weight')?.values;
    if (before === null || now === undefined) return 'this page has seen no earlier weights to compare with';
    const moved = axisNorms(
      now.map((value, index) => value - (before.values[index] ?? 0)),
      shape,
      axis,
    );
    return { order: largestFirst(moved), step: weights.step, since: before.step };
  }
  if (by === 'weight') return { order: largestFirst(weights.norms), step: weights.step, since: null };
  const other = norms(by === 'gradient' ? 'gradient' : 'update');
  if (typeof other === 'string') return other;
  const measures =
    by === 'gradient'
      ? other.norms
      : // 0 / 0 is no ratio, and nothing that could come first.
        other.norms.map((update, index) => (update === 0 ? 0 : update / (weights.norms[index] ?? 1)));
  return { order: largestFirst(measures), step: other.step, since: null };
}
