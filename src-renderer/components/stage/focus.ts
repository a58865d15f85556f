import type { LayerPlan, NetworkPlan } from '../../../src-shared/model/network';
import type { FrameView } from '../../frames/frame-store';
import { strongestMap } from '../../scene/error-path';
import { kernelShape, networkRows, type LayerRow } from '../../scene/network-rows';
import type { Selection } from '../../state/store';
import { exampleValues, inputName } from '../scope/error-fates';

/** What of a layer the stage shows: one of its maps (or units), and of a conv layer one of its inputs. */
export interface Focus {
  /** The layer whose filters (or units) the maps are: this one or the last one before it that has weights. */
  readonly owner: LayerRow | null;
  readonly maps: number;
  readonly map: number;
  readonly input: number;
}

/** The layer whose filters the maps of `layer` are; null before the first one with weights. */
export function ownerOf(plan: NetworkPlan, { index }: LayerPlan): LayerRow | null {
  const rows = networkRows(plan).filter((row) => row.kind === 'layer');
  return rows.findLast(({ layer }) => layer.index <= index) ?? null;
}

/**
 * The chosen kernel's map and input; where none of this layer is chosen, those with the largest error (going forward the
 * largest output).
 */
export function focusOf(
  view: FrameView | null,
  plan: NetworkPlan,
  layer: LayerPlan,
  direction: 'forward' | 'backward',
  selection: Selection | null,
): Focus {
  const owner = ownerOf(plan, layer);
  // Flattened maps are still maps.
  const [maps = 1] = layer.spec.kind === 'flatten' ? layer.inputShape : layer.outputShape;
  const [inputs = 1] = layer.inputShape;
  const kind = direction === 'forward' ? 'output' : 'error';
  const strongest = (name: string, count: number): number => {
    const values = exampleValues(view, name, kind) ?? exampleValues(view, name, 'output');
    return values === null ? 0 : strongestMap(values, count);
  };
  const isChosen = selection !== null && owner !== null && selection.layer === owner.layer.spec.name;
  const map = isChosen ? selection.filter : strongest(layer.spec.name, maps);
  const ownInput = isChosen && owner.layer.index === layer.index ? selection.input : null;
  return {
    owner,
    maps,
    map: Math.min(map, maps - 1),
    input: ownInput ?? (layer.parameters.length > 0 ? strongest(inputName(plan, layer), inputs) : 0),
  };
}

/** The kernel whose map the stage shows when `map` is chosen. */
export const selectionFor = ({ input }: Focus, { layer, weight }: LayerRow, map: number): Selection => {
  const { inputs } = kernelShape(weight.shape);
  return {
    layer: layer.spec.name,
    filter: map,
    input: inputs === null ? null : Math.min(input, inputs - 1),
  };
};
