import { ENGINE_NAMES, type EngineName } from '../../src-shared/model/run-config';
import type { Engine } from './engine';
import { needsSetUp, readSetUp } from './tensorflow/set-up';

type Openers = Readonly<Record<EngineName, () => Promise<Engine>>>;

/** Loaded when they are asked for: starting waits for no backend that nobody uses. */
const OPENERS: Openers = {
  simd: async () => (await import('./simd/simd-engine')).openSimdEngine(),
  'tensorflow-gpu': async () =>
    (await import('./tensorflow/tensorflow-engine')).openTensorFlowEngine('tensorflow-gpu'),
  tensorflow: async () => (await import('./tensorflow/tensorflow-engine')).openTensorFlowEngine('tensorflow'),
  wasm: async () => (await import('./wasm-engine')).openWasmEngine(),
  cpu: async () => (await import('./cpu-engine')).openCpuEngine(),
};

/** Engines that a person may choose on this machine: those that need a set-up only where they were set up. */
export const offeredEngines = (): EngineName[] =>
  ENGINE_NAMES.filter((name) => !needsSetUp(name) || readSetUp(name) !== null);

export interface OpenedEngine {
  readonly engine: Engine;
  /** For people: why this one. */
  readonly chosenBecause: string;
}

/**
 * Loads an engine and makes it the thread's: one that was opened before computes no more and waits to be disposed.
 * @throws GradscopeError `engine-unavailable`: it cannot load; says why. Whoever goes on with the engine from before has to
 * make its backend active again (tf.setBackend).
 */
export async function openEngine(name: EngineName, openers: Openers = OPENERS): Promise<OpenedEngine> {
  return { engine: await openers[name](), chosenBecause: 'asked for by name' };
}
