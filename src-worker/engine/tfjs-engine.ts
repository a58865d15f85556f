import * as tf from '@tensorflow/tfjs-core';
import type { LayerPlan, NetworkPlan } from '../../src-shared/model/network';
import type { EngineName } from '../../src-shared/model/run-config';
import { GradscopeError } from '../../src-shared/protocol/errors';
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
    createNetwork(plan: NetworkPlan): EngineNetwork {
      for (const layer of plan.layers) refuseUnknown(name, layer);
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

function refuseUnknown(engine: EngineName, { spec }: LayerPlan): void {
  const why = reasonNotToRun(spec);
  if (why === null) return;
  throw new GradscopeError(
    'engine-cannot-run',
    `The engine ${engine} cannot run layer ${spec.name} (${spec.kind}): it has no kernel for ${why}.`,
  );
}

function reasonNotToRun(spec: LayerPlan['spec']): string | null {
  switch (spec.kind) {
    case 'conv2d':
      if (spec.stride !== 1) return `a stride of ${spec.stride}`;
      return spec.padding === 0 ? null : `a padding of ${spec.padding}`;
    case 'maxPool2d':
      if (spec.stride !== spec.size) return `windows of ${spec.size} with a stride of ${spec.stride}`;
      return spec.padding === 0 ? null : `a padding of ${spec.padding}`;
    case 'averagePool2d':
    case 'leakyRelu':
    case 'sigmoid':
    case 'tanh':
      return 'layers of this kind';
    case 'relu':
    case 'dropout':
    case 'flatten':
    case 'dense':
      return null;
  }
}
