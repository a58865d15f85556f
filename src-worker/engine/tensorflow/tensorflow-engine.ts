import { createRequire, Module } from 'node:module';
import { isMainThread } from 'node:worker_threads';
import * as util from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { GradscopeError } from '../../../src-shared/protocol/errors';
import { whyTreeUntrusted, whyUntrusted } from '../../../src-node/trusted-path.mjs';
import type { Engine } from '../engine';
import { referenceArithmetic } from '../reference-arithmetic';
import { tfjsEngine } from '../tfjs-engine';
import type { TensorFlowBackend } from './binding';
import { isPrepared, prepareTensorFlow } from './environment';
import { whyNoGpuKernelRuns } from './gpu';
import { engineFolder, readSetUp, type TensorFlowEngineName } from './set-up';
import { tensorflowArithmetic } from './tensorflow-arithmetic';

const PACKAGE = '@tensorflow/tfjs-node-gpu';

/** The one of this thread: tfjs knows one backend of that name. */
let loaded: { readonly name: TensorFlowEngineName; readonly packageVersion: string } | null = null;

/** TensorFlow's own library, by the native addon of @tensorflow/tfjs-node-gpu. @throws GradscopeError `engine-unavailable` */
export async function openTensorFlowEngine(name: TensorFlowEngineName): Promise<Engine> {
  const cannotLoad = (why: string, cause?: unknown): GradscopeError =>
    new GradscopeError('engine-unavailable', `The engine ${name} cannot load: ${why}.`, { cause });

  const first = loaded === null;
  // What is loaded stays, whatever becomes of its files.
  const packageVersion = loaded?.name === name ? loaded.packageVersion : load(name, cannotLoad);
  if (!(await tf.setBackend('tensorflow'))) throw cannotLoad("tfjs's backend tensorflow did not start");
  const backend = tf.backend() as TensorFlowBackend;
  const { binding } = backend;
  if (first) shareOnReshape(backend);
  if (name === 'tensorflow-gpu') {
    const why = whyNoGpuKernelRuns(binding);
    if (why !== null) throw cannotLoad(why);
  } else if (binding.isUsingGpuDevice()) {
    throw cannotLoad('this process has loaded a TensorFlow for GPUs');
  }

  /** The array that the backend holds. Where a kernel of tfjs's has used it, it is TensorFlow's: then a copy takes its place. */
  const view = (tensor: tf.Tensor): Float32Array => {
    const entry = backend.tensorMap.get(tensor.dataId);
    if (entry.values === null) {
      entry.values = binding.tensorDataSync(entry.id);
      binding.deleteTensor(entry.id);
      entry.id = -1;
    }
    return entry.values;
  };
  return tfjsEngine({
    name,
    variant: name === 'tensorflow-gpu' ? 'GPU' : 'CPU',
    versions: {
      '@tensorflow/tfjs-core': tf.version_core,
      [PACKAGE]: packageVersion,
      TensorFlow: binding.TF_Version,
    },
    backend: 'tensorflow',
    arithmetic: tensorflowArithmetic(binding, view, referenceArithmetic(view)),
  });
}

/** @returns the version of the package that was loaded */
function load(
  name: TensorFlowEngineName,
  cannotLoad: (why: string, cause?: unknown) => GradscopeError,
): string {
  const setUp = readSetUp(name);
  if (setUp === null) throw cannotLoad(`it is not set up; npm run engine -- ${name} sets it up`);
  if ('untrusted' in setUp) throw cannotLoad(setUp.untrusted);
  // Loading it runs it, so nobody else may have put it there: neither the addon nor a library that it finds beside it.
  const folder = engineFolder(name);
  const untrusted = (folder === null ? null : whyTreeUntrusted(folder)) ?? whyUntrusted(setUp.addon);
  if (untrusted !== null) throw cannotLoad(untrusted);
  if (loaded !== null) {
    throw cannotLoad(`the engine ${loaded.name} is loaded already, and a trainer holds one TensorFlow`);
  }
  if (isMainThread) prepareTensorFlow();
  else if (!isPrepared()) throw cannotLoad('the environment was not prepared before the thread began');
  const require = createRequire(import.meta.url);
  const { version } = require(`${PACKAGE}/package.json`) as { readonly version: string };
  if (setUp.packageVersion !== version) {
    throw cannotLoad(
      `it was set up for ${PACKAGE} ${setUp.packageVersion}, and this is ${version}; npm run engine -- ${name} sets it up anew`,
    );
  }
  try {
    loadPackage(require, setUp.addon);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw cannotLoad(`${setUp.addon} did not load (${why})`, cause);
  }
  loaded = { name, packageVersion: version };
  return version;
}

/** The package looks for its addon where its install script would have put it; it is told where the addon is. */
function loadPackage(require: NodeJS.Require, addon: string): void {
  // Gone from Node 23 on; the package calls them.
  const legacy: { isNullOrUndefined?: unknown; isArray?: unknown } = require('node:util') as typeof util;
  legacy.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
  legacy.isArray ??= Array.isArray;

  const finder = createRequire(require.resolve(PACKAGE)).resolve('@mapbox/node-pre-gyp');
  const told = new Module(finder);
  told.exports = { find: () => addon };
  told.loaded = true;
  require.cache[finder] = told;
  try {
    require(PACKAGE);
  } finally {
    Reflect.deleteProperty(require.cache, finder);
  }
}

/**
 * On tfjs's other backends a tensor that is given its own shape again is another handle on the same memory, and fit() rests on
 * that.
 */
function shareOnReshape(backend: TensorFlowBackend): void {
  const own = tf.getKernel(tf.Reshape, 'tensorflow');
  tf.unregisterKernel(tf.Reshape, 'tensorflow');
  tf.registerKernel({
    ...own,
    kernelFunc: (call) => {
      const { x } = call.inputs;
      if (x === undefined || !tf.util.arraysEqual(x.shape, call.attrs?.['shape'] as number[])) {
        return own.kernelFunc(call);
      }
      backend.incRef(x.dataId);
      return { dataId: x.dataId, shape: x.shape, dtype: x.dtype };
    },
  });
}
