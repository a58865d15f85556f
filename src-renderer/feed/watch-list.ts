import type { NetworkPlan } from '../../src-shared/model/network';
import type { WatchItem } from '../../src-shared/protocol/messages';
import type { View } from '../state/store';

/** Values a kernel matrix can show at one pixel each: two bands as wide as a column, some layers high. */
const MATRIX_VALUES = 65_536;
/** Values the maps of a layer can show at one pixel each. They are shown whole or not at all: a mean of several maps is none. */
const MAP_VALUES = 65_536;

/** The saliency of the digit, where it is looked at. */
export const saliencyItems = (saliency: View['saliency']): WatchItem[] =>
  saliency === null ? [] : [{ name: String(saliency), kind: 'digitSaliency', maxValues: MAP_VALUES }];

/**
 * Everything the page shows of a network: weight, gradient and update of each parameter, of each layer the output and
 * error of the chosen digit, and of an example of the minibatch inside a step, with its image. Of the digit, flatten only
 * renames its input and dropout is off, so both would repeat what comes before them; inside a step one can stand at both.
 *
 * @param also what is looked at only now and then
 */
export function watchList({ layers, parameters }: NetworkPlan, also: readonly WatchItem[] = []): WatchItem[] {
  const ofParameters = parameters.flatMap(({ name }) =>
    (['weight', 'gradient', 'update'] as const).map((kind) => ({ name, kind, maxValues: MATRIX_VALUES })),
  );
  const ofLayers = layers
    .filter(({ spec }) => spec.kind !== 'flatten' && spec.kind !== 'dropout')
    .flatMap(({ spec: { name } }) =>
      (['digitOutput', 'digitError'] as const).map((kind) => ({ name, kind, maxValues: MAP_VALUES })),
    );
  const ofExample = layers.flatMap(({ spec: { kind, name } }) =>
    (kind === 'dropout' ? (['output', 'error', 'mask'] as const) : (['output', 'error'] as const)).map(
      (what) => ({ name, kind: what, maxValues: MAP_VALUES }),
    ),
  );
  return [
    ...ofParameters,
    ...ofLayers,
    { name: 'output', kind: 'digitProbabilities', maxValues: MAP_VALUES },
    ...also,
    // Last, so that a frame outside a step ends before them.
    { name: 'input', kind: 'output', maxValues: MAP_VALUES },
    ...ofExample,
  ];
}
