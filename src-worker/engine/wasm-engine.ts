import { accessSync, constants } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { BackendWasm, setWasmPaths, version_wasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { GradscopeError } from '../../src-shared/protocol/errors';
import type { Engine } from './engine';
import { referenceArithmetic } from './reference-arithmetic';
import { tfjsEngine } from './tfjs-engine';
import { wasmArithmetic } from './wasm-arithmetic';

/** XNNPACK in WebAssembly, one thread: tfjs's wasm backend, with the gradient kernels it lacks. */
export async function openWasmEngine(): Promise<Engine> {
  if (!('WebAssembly' in globalThis)) throw cannotLoad('there is no WebAssembly here');
  const simd = (await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT')) === true;
  const backend = await startBackend(simd ? 'tfjs-backend-wasm-simd.wasm' : 'tfjs-backend-wasm.wasm');
  const view = (tensor: tf.Tensor): Float32Array => backend.typedArrayFromHeap(tensor) as Float32Array;
  return tfjsEngine({
    name: 'wasm',
    variant: simd ? 'SIMD' : 'no SIMD',
    versions: { '@tensorflow/tfjs-core': tf.version_core, '@tensorflow/tfjs-backend-wasm': version_wasm },
    backend: 'wasm',
    arithmetic: wasmArithmetic(view, referenceArithmetic(view)),
  });
}

/** What both binaries declare, in pages of 64 KiB. */
const MEMORY = { initial: 256, maximum: 65_536 };

/**
 * tfjs's module prints on its own when it gets no memory, which nothing can tell it not to. What is made here goes when the module
 * needs its place.
 */
function requireMemory(): void {
  try {
    new WebAssembly.Memory(MEMORY);
  } catch (cause) {
    throw cannotLoad('the system gives this process too few addresses for its memory (ulimit -v)', cause);
  }
}

async function startBackend(binary: string): Promise<BackendWasm> {
  const folder = binaryFolder(binary);
  requireMemory();
  let started: boolean;
  try {
    setWasmPaths(`${folder}/`);
    started = await tf.setBackend('wasm');
  } catch (cause) {
    throw cannotLoad(`${join(folder, binary)} did not start`, cause);
  }
  if (!started) throw cannotLoad(`${join(folder, binary)} did not start`);
  const backend = tf.backend();
  if (!(backend instanceof BackendWasm)) throw cannotLoad("tfjs's wasm backend is not its own");
  return backend;
}

/** The worker may be bundled, the binaries are not: they are where the package is installed. */
function binaryFolder(binary: string): string {
  try {
    const folder = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'));
    accessSync(join(folder, binary), constants.R_OK);
    return folder;
  } catch (cause) {
    throw cannotLoad(`${binary} of @tensorflow/tfjs-backend-wasm cannot be read`, cause);
  }
}

const cannotLoad = (why: string, cause?: unknown): GradscopeError =>
  new GradscopeError('engine-unavailable', `The engine wasm cannot load: ${why}.`, { cause });
