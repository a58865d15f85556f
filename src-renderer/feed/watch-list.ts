import type { NetworkPlan } from '../../src-shared/model/network';
import type { WatchItem } from '../../src-shared/protocol/messages';

/** Values a kernel matrix can show at one pixel each: two bands as wide as a column, some layers high. */
const MATRIX_VALUES = 65_536;
/** Values the maps of a layer can show. */
const MAP_VALUES = 16_384;

/**
 * Everything the page shows of a network: weight, gradient and update of each parameter, of each layer the output and
 * error of the chosen digit, and of an example of the minibatch inside a step, with its image. Of the digit, flatten only
 * renames its input and dropout is off, so both would repeat what comes before them; inside a step one can stand at both.
 */
export function watchList({ layers, parameters }: NetworkPlan): WatchItem[] {
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
    // Last, so that a frame outside a step ends before them.
    { name: 'input', kind: 'output', maxValues: MAP_VALUES },
    ...ofExample,
  ];
}
