import type { LayerPlan, NetworkPlan } from '../../../src-shared/model/network';
import type { StateSlot } from '../../../src-shared/model/optimiser';
import type { Arena, Block } from './arena';
import type { Kernels } from './kernels';
import type { WorkerPool } from './worker-pool';

/** What networks and passes of the engine share. */
export interface SimdMachine {
  readonly kernels: Kernels;
  readonly arena: Arena;
  readonly pool: WorkerPool;
}

/** What a parameter is made of, all in PyTorch's layout, so nothing is reordered on the way in or out. */
export interface ParameterBlocks {
  readonly weight: Block;
  readonly gradient: Block;
  /** What the optimiser remembers, from its first update on. */
  readonly slots: Map<StateSlot, Block>;
  /** From the first update on. */
  lastUpdate: UpdateBlocks | null;
}

/** What the last update of a parameter began with, and what it added to the weight. */
export interface UpdateBlocks {
  readonly weight: Block;
  readonly slots: Map<StateSlot, Block>;
  readonly update: Block;
}

/** The network, as its passes see it. */
export interface PassOwner {
  readonly plan: NetworkPlan;
  /** Counts the changes of any weight: a pass knows by it whether what it derived from them still holds. */
  readonly version: number;
  /** Weight and bias of a layer that has them. */
  parametersOf(layer: LayerPlan): [weight: ParameterBlocks, bias: ParameterBlocks];
}
