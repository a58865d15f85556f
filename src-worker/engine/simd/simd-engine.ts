import { availableParallelism } from 'node:os';
import { version_cpu } from '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import type { NetworkPlan } from '../../../src-shared/model/network';
import { GradscopeError } from '../../../src-shared/protocol/errors';
import type { Engine } from '../engine';
import { Arena } from './arena';
import { bestBuild, cannotLoad, compileKernels, openKernels, type KernelBuild } from './kernels';
import { SimdNetwork } from './simd-network';
import { WorkerPool } from './worker-pool';

/** More gain nothing on minibatches of the size this is made for. */
const MOST_THREADS = 8;

export interface SimdOptions {
  /** That there are at most. */
  readonly threads?: number;
  readonly build?: KernelBuild;
}

/** @throws GradscopeError `bad-config` for a GRADSCOPE_THREADS that is no number of threads */
function mostThreads({ GRADSCOPE_THREADS: asked }: NodeJS.ProcessEnv): number {
  if (asked === undefined || asked === '') return Math.min(availableParallelism(), MOST_THREADS);
  const threads = Number(asked);
  if (Number.isInteger(threads) && threads >= 1 && threads <= MOST_THREADS) return threads;
  throw new GradscopeError(
    'bad-config',
    `GRADSCOPE_THREADS takes a whole number from 1 to ${String(MOST_THREADS)}, not ${JSON.stringify(asked)}.`,
  );
}

/**
 * Our own kernels in WebAssembly SIMD, in memory that is shared by as many threads as the machine gives this process. tfjs's
 * cpu backend carries the tensors that fit() is handed and computes nothing.
 */
export async function openSimdEngine({
  threads = mostThreads(process.env),
  build = bestBuild(),
}: SimdOptions = {}): Promise<Engine> {
  const module = compileKernels(build);
  tf.enableProdMode();
  if (!(await tf.setBackend('cpu'))) throw cannotLoad("tfjs's cpu backend, which fit() needs, did not start");
  const arena = new Arena();
  const kernels = openKernels(module, arena.memory);
  const pool = new WorkerPool(module, kernels, arena, threads);
  const networks = new Set<SimdNetwork>();
  /** The block by which threads share out work, which is there as long as the engine. */
  const own = arena.blocks;
  return {
    name: 'simd',
    variant: build === 'relaxed' ? 'relaxed SIMD' : 'SIMD',
    versions: { '@tensorflow/tfjs-core': tf.version_core, '@tensorflow/tfjs-backend-cpu': version_cpu },
    threads: pool,
    createNetwork(plan: NetworkPlan) {
      const network = new SimdNetwork(plan, { kernels, arena, pool }, (gone) => networks.delete(gone));
      networks.add(network);
      return network;
    },
    liveBuffers: () => arena.blocks - own + tf.memory().numTensors,
    dispose() {
      for (const network of networks) network.dispose();
      pool.dispose();
    },
  };
}
