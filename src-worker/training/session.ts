import type { NetworkPlan } from '../../src-shared/model/network';
import type { Phase } from '../../src-shared/model/phases';
import type { Freshness } from '../../src-shared/protocol/messages';

/** Interfaces between the run being trained (this file's author) and those who steer and watch it (gate, publisher). */

/** A parameter as the rest of the worker sees it: copies in PyTorch's layout, replaced in place, never aliased to the engine. */
export interface Mirror {
  readonly weight: TensorCopy;
  readonly gradient: TensorCopy;
  readonly update: TensorCopy;
}

export interface TensorCopy {
  readonly values: Float32Array;
  freshness: Freshness;
  /** Step the values belong to (0: initial). */
  step: number;
  phase: Phase | null;
}

/** What one finished step tells; one row of the metrics lane. */
export interface StepRecord {
  readonly step: number;
  readonly loss: number;
  readonly runningLoss: number;
  readonly runningAccuracy: number;
  /** L2 norms for each layer that has parameters, in network order, weights without biases. */
  readonly weightNorms: Float64Array;
  readonly gradientNorms: Float64Array;
  readonly updateNorms: Float64Array;
}

export interface SessionView {
  readonly plan: NetworkPlan;
  /** Finished steps. */
  readonly step: number;
  /** Counted from 1. */
  readonly epoch: number;
  readonly stepInEpoch: number;
  readonly stepsPerEpoch: number;
  readonly phase: Phase | null;
  readonly minibatch: { readonly step: number; readonly indices: readonly number[] } | null;
  mirror(parameterName: string): Mirror;
}
