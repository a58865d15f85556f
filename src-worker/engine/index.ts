import { ENGINE_NAMES, type EngineChoice, type EngineName } from '../../src-shared/model/run-config';
import { GradscopeError } from '../../src-shared/protocol/errors';
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
 * Loads an engine and makes it the thread's: one that was opened before computes no more and waits to be disposed. `auto`
 * takes the first of ENGINE_NAMES that loads.
 * @throws GradscopeError `engine-unavailable`: the engine asked for by name cannot load, or none can; says why. Whoever goes
 * on with the engine from before has to make its backend active again (tf.setBackend).
 */
export async function openEngine(choice: EngineChoice, openers: Openers = OPENERS): Promise<OpenedEngine> {
  if (choice !== 'auto') return { engine: await openers[choice](), chosenBecause: 'asked for by name' };
  const refusals: string[] = [];
  for (const name of ENGINE_NAMES) {
    try {
      const engine = await openers[name]();
      const chosenBecause =
        refusals.length === 0
          ? 'auto takes the first engine that loads'
          : `auto went on to it: ${refusals.join(' ')}`;
      return { engine, chosenBecause };
    } catch (error) {
      if (!(error instanceof GradscopeError) || error.code !== 'engine-unavailable') throw error;
      refusals.push(error.message);
    }
  }
  throw new GradscopeError('engine-unavailable', `No engine can load. ${refusals.join(' ')}`);
}
