import type { NetworkRow } from '../../scene/network-rows';

/** Where a row is while training stands at a layer. */
export interface RowMark {
  /** `here`: the layer is in this row; `away`: in another; null: training stands at no layer. */
  readonly standing: 'here' | 'away' | null;
  /** The row was gone through on the way to the layer, this one included. */
  readonly passed: boolean;
  /** The error that the layer passed on arrived here. */
  readonly receives: boolean;
  /** Name of the layer, in the row that has it. */
  readonly layer: number | null;
}

export function rowMark(
  row: NetworkRow,
  standing: number | null,
  direction: 'forward' | 'backward' | null,
  atLoss: boolean,
): RowMark {
  if (standing === null || direction === null) {
    const isLoss = atLoss && row.kind === 'between' && row.loss !== null;
    return { standing: isLoss ? 'here' : null, passed: false, receives: false, layer: null };
  }
  const indices = row.kind === 'layer' ? [row.layer.index] : row.layers.map(({ index }) => index);
  const isHere = indices.includes(standing);
  const forward = direction === 'forward';
  const isPassed = indices.some((index) => (forward ? index <= standing : index >= standing));
  return {
    standing: isHere ? 'here' : 'away',
    passed: isPassed || (!forward && row.kind === 'between' && row.loss !== null),
    receives: !forward && indices.includes(standing - 1),
    layer: isHere ? standing : null,
  };
}

export const markAttributes = ({
  standing,
  passed,
  receives,
}: RowMark): Record<string, string | boolean | undefined> => ({
  'data-standing': standing ?? undefined,
  'data-passed': passed,
  'data-receives': receives,
  'aria-current': standing === 'here' ? 'step' : undefined,
});
