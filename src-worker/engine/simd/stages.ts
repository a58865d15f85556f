import type { LayerPlan, NetworkPlan } from '../../../src-shared/model/network';

/** A convolution with the layers that are computed while its sums are in registers. */
export interface ConvolutionPool {
  readonly convolution: LayerPlan;
  readonly dropout: LayerPlan | null;
  readonly pool: LayerPlan;
  /** 0: no ReLU among them, 1: before the pool, 2: after it. */
  readonly reluPlace: 0 | 1 | 2;
  readonly last: LayerPlan;
}

/**
 * Which layers are computed together: convolution, channel dropout, ReLU and max-pool 2 x 2 in one pass, with the ReLU on
 * either side of the pool. By the index of each layer that belongs to one.
 */
export function findStages(plan: NetworkPlan): ReadonlyMap<number, ConvolutionPool> {
  const stages = new Map<number, ConvolutionPool>();
  for (const convolution of plan.layers) {
    const stage = stageFrom(plan, convolution);
    if (stage === null) continue;
    for (let index = convolution.index; index <= stage.last.index; index++) stages.set(index, stage);
  }
  return stages;
}

function stageFrom(plan: NetworkPlan, convolution: LayerPlan): ConvolutionPool | null {
  if (convolution.spec.kind !== 'conv2d') return null;
  let index = convolution.index + 1;
  const next = (kind: LayerPlan['spec']['kind']): LayerPlan | null => {
    const layer = plan.layers[index];
    if (layer?.spec.kind !== kind) return null;
    index++;
    return layer;
  };
  const after = plan.layers[index]?.spec;
  const dropout = after?.kind === 'dropout' && after.unit === 'channel' ? next('dropout') : null;
  const reluBefore = next('relu');
  const pool = next('maxPool2d');
  if (pool === null || !isTwoByTwo(pool)) return null;
  const reluAfter = reluBefore === null ? next('relu') : null;
  const reluPlace = reluBefore !== null ? 1 : reluAfter !== null ? 2 : 0;
  return { convolution, dropout, pool, reluPlace, last: reluAfter ?? pool };
}

function isTwoByTwo({ spec }: LayerPlan): boolean {
  return spec.kind === 'maxPool2d' && spec.size === 2 && spec.stride === 2 && spec.padding === 0;
}
