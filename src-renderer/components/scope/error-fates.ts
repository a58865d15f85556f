import type { LayerPlan, NetworkPlan } from '../../../src-shared/model/network';
import type { FateMarks } from '../../draw/fate-marks';
import { isBlank, type FrameView } from '../../frames/frame-store';
import { fatesAlong, type PathLayer } from '../../scene/error-path';

/** Where the values of a layer come from, as it is watched: the layer before it, or the image. */
export const inputName = ({ layers }: NetworkPlan, { index }: LayerPlan): string =>
  layers[index - 1]?.spec.name ?? 'input';

/** What one example's picture holds of a layer; null where it was not computed yet, or does not hold every value. */
export function exampleValues(
  view: FrameView | null,
  name: string,
  kind: 'output' | 'error' | 'mask',
): Float32Array | null {
  const slot = view?.slot(name, kind) ?? null;
  return slot === null || isBlank(slot) || slot.slot.block !== null ? null : slot.values;
}

/** The layers without weights that a layer's output goes through before it reaches weights again, or the loss. */
export function followers({ layers }: NetworkPlan, { index }: LayerPlan): readonly LayerPlan[] {
  const after = layers.slice(index + 1);
  const end = after.findIndex(({ parameters }) => parameters.length > 0);
  return end < 0 ? after : after.slice(0, end);
}

/** What became of the values that went into the first of these layers; null where that is not known, or nothing can. */
export function fatesThrough(
  view: FrameView | null,
  plan: NetworkPlan,
  layers: readonly LayerPlan[],
): FateMarks | null {
  if (!layers.some(({ spec }) => spec.kind === 'relu' || spec.kind === 'maxPool2d')) return null;
  const path: PathLayer[] = [];
  for (const layer of layers) {
    const input = exampleValues(view, inputName(plan, layer), 'output');
    const output = exampleValues(view, layer.spec.name, 'output');
    if (input === null || output === null) return null;
    path.push({ layer, input, output, mask: exampleValues(view, layer.spec.name, 'mask') });
  }
  const pool = layers.find(({ spec }) => spec.kind === 'maxPool2d')?.spec;
  const outlined = pool?.kind === 'maxPool2d';
  // Lines can only be drawn between windows that lie side by side, from the first value on.
  const window = outlined && pool.stride === pool.size && pool.padding === 0 ? pool.size : null;
  return { fates: fatesAlong(path), outlined, window };
}

/** Standing at a layer in the backward pass: where the error that arrived there comes from, and where none can. */
export function standingFates(
  view: FrameView | null,
  plan: NetworkPlan | null,
  name: string,
): FateMarks | null {
  if (view === null || plan === null || view.phase !== 'backward' || view.layer !== name) return null;
  const layer = plan.layers.find(({ spec }) => spec.name === name);
  return layer === undefined ? null : fatesThrough(view, plan, followers(plan, layer));
}
