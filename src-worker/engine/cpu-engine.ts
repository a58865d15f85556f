import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { GradscopeError } from '../../src-shared/protocol/errors';
import type { Engine } from './engine';
import { referenceArithmetic } from './reference-arithmetic';
import { tfjsEngine } from './tfjs-engine';

/** Plain JavaScript, the reference: the loops of kernels/layers.ts over the arrays of tfjs's cpu backend. */
export async function openCpuEngine(): Promise<Engine> {
  // Or the backend would tell whoever chose this engine to install another.
  tf.enableProdMode();
  if (!(await tf.setBackend('cpu'))) {
    throw new GradscopeError(
      'engine-unavailable',
      "The engine cpu cannot load: tfjs's cpu backend did not start.",
    );
  }
  const backend = tf.backend();
  if (!(backend instanceof MathBackendCPU)) {
    throw new GradscopeError(
      'engine-unavailable',
      "The engine cpu cannot load: tfjs's cpu backend is not its own.",
    );
  }
  return tfjsEngine({
    name: 'cpu',
    variant: 'plain JavaScript',
    versions: { '@tensorflow/tfjs-core': tf.version_core },
    backend: 'cpu',
    // The array that the backend computes with, not a copy: what is written into it is in the tensor.
    arithmetic: referenceArithmetic((tensor) => backend.data.get(tensor.dataId).values as Float32Array),
  });
}
