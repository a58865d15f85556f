import * as tf from '@tensorflow/tfjs-core';
import type { NetworkPlan } from '../../src-shared/model/network';
import type { EngineName } from '../../src-shared/model/run-config';
import type { Arithmetic } from './arithmetic';
import type { Engine, EngineNetwork } from './engine';
import { TfjsNetwork } from './tfjs-network';

interface TfjsEngineParts {
  readonly name: EngineName;
  readonly variant: string;
  readonly versions: Readonly<Record<string, string>>;
  /** Name of the tfjs backend, which must be active. */
  readonly backend: string;
  readonly arithmetic: Arithmetic;
}

/**
 * An engine on a tfjs backend. tfjs has one active backend for the whole thread, so of several engines only the one that was
 * opened last computes; the others can only be disposed. dispose() frees every network; the backend itself stays loaded
 * (tfjs cannot load one twice) and holds no tensor.
 */
export function tfjsEngine({ name, variant, versions, backend, arithmetic }: TfjsEngineParts): Engine {
  const networks = new Set<TfjsNetwork>();
  return {
    name,
    variant,
    versions,
    threads: null,
    createNetwork(plan: NetworkPlan): EngineNetwork {
      const network = new TfjsNetwork(plan, backend, arithmetic, (gone) => networks.delete(gone));
      networks.add(network);
      return network;
    },
    liveBuffers: () => tf.memory().numTensors,
    dispose() {
      for (const network of networks) network.dispose();
    },
  };
}
