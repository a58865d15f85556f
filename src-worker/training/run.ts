import { setBackend } from '@tensorflow/tfjs-core';
import { type LayerPlan, planNetwork } from '../../src-shared/model/network';
import { checkOrder } from '../../src-shared/model/order';
import type { Phase } from '../../src-shared/model/phases';
import { type Recipe, recipeNamed } from '../../src-shared/model/recipe';
import type { Mode, RunConfig } from '../../src-shared/model/run-config';
import { readSafetensors } from '../../src-shared/model/safetensors';
import { type DigitChoice, DigitProbe } from '../probe/digit';
import type { Dataset } from '../data/dataset';
import type { openEngine, OpenedEngine } from '../engine';
import { KernelHistory } from './kernel-history';
import { Meter } from './meter';
import { Session } from './session';

/** One run: what is trained, with what, and what the trainer has to remember about it. */
export interface Run {
  readonly runId: number;
  readonly config: RunConfig;
  readonly recipe: Recipe;
  readonly engine: OpenedEngine;
  readonly session: Session;
  readonly digit: DigitProbe;
  readonly meter: Meter;
  readonly kernelHistory: KernelHistory;
  /** The loop in force. */
  mode: Mode;
  /** The loop that takes over at the next boundary. */
  wantedMode: Mode;
  /** The layer of forward or backward that was gone through last, as long as that phase has not ended. */
  layerAt: LayerPlace | null;
  /** Where training is, as far as it can be seen. */
  readonly place: Place;
  /** Step after which the run is finished; null: only when its epochs are over. */
  stopAtStep: number | null;
  /**
   * Everything that decides the weights but the loop, as text; null once weights were changed by hand, as another run
   * with the same config then proves nothing.
   */
  proofKey: string | null;
  /** Whether the first NaN or infinity was told. */
  nonFiniteTold: boolean;
}

/** Just after a layer of forward or backward. */
export interface LayerPlace {
  readonly phase: Phase;
  readonly layer: LayerPlan;
}

/** The last finished phase, or a phase that stands at a layer. */
export interface Place {
  readonly phase: Phase | null;
  readonly layer: LayerPlan | null;
}

export interface RunRequest {
  readonly config: RunConfig;
  readonly weights: { readonly file: Uint8Array; readonly fileName: string } | null;
}

export interface RunSurroundings {
  readonly dataset: Dataset;
  readonly digit: DigitChoice;
  readonly openEngine: typeof openEngine;
  readonly now: () => number;
}

/**
 * Refuses what can be refused without touching the run under way.
 * @throws GradscopeError `unknown-recipe`, `bad-config`, `bad-order`, `bad-weights`
 */
export function checkRunRequest({ config, weights }: RunRequest, dataset: Dataset): void {
  const plan = planNetwork(recipeNamed(config.recipe).network);
  if (config.order !== null) checkOrder(config.order, dataset.train.count);
  if (weights !== null) readSafetensors(weights.file, plan.parameters, weights.fileName);
}

/**
 * Makes a new run beside the current one, on the engine that is open where that is the one asked for.
 * tfjs has one active backend for the thread, so that of the current run is put back when there will be no new run.
 * @throws GradscopeError as checkRunRequest, and `engine-unavailable`, `engine-cannot-run`; the current run is then as it was.
 */
export async function createRun(
  runId: number,
  request: RunRequest,
  surroundings: RunSurroundings,
  current: Run | undefined,
): Promise<Run> {
  const { engine: choice } = request.config;
  const open = current?.engine;
  if (open !== undefined && (choice === current?.config.engine || choice === open.engine.name)) {
    return createRunOn(open, runId, request, surroundings);
  }
  let opened: OpenedEngine | undefined;
  try {
    opened = await surroundings.openEngine(choice);
    return createRunOn(opened, runId, request, surroundings);
  } catch (error) {
    opened?.engine.dispose();
    if (current !== undefined) await setBackend(current.session.network.tensors.backend);
    throw error;
  }
}

function createRunOn(
  engine: OpenedEngine,
  runId: number,
  { config, weights }: RunRequest,
  { dataset, digit: choice, now }: RunSurroundings,
): Run {
  const recipe = recipeNamed(config.recipe);
  const session = new Session({ engine: engine.engine, dataset, recipe, config });
  try {
    if (weights !== null) session.importWeights(weights.file, weights.fileName);
    const step = (): number => session.step;
    const { input } = recipe;
    const digit = new DigitProbe({ network: session.network, dataset, input, choice, step, now });
    const { seed, dropout, order, mode, stopAtStep } = config;
    const from = session.weightsSha256();
    return {
      runId,
      config,
      recipe,
      engine,
      session,
      digit,
      meter: new Meter(now),
      kernelHistory: new KernelHistory(session),
      mode,
      wantedMode: mode,
      layerAt: null,
      // An abandoned minibatch leaves the layer behind at which it was given up.
      get place() {
        return session.inStep && this.layerAt !== null ? this.layerAt : { phase: session.phase, layer: null };
      },
      stopAtStep,
      proofKey: JSON.stringify({ recipe, engine: engine.engine.name, seed, dropout, order, from }),
      nonFiniteTold: false,
    };
  } catch (error) {
    session.dispose();
    throw error;
  }
}

/** Frees a run that another has replaced, and its engine when that was replaced as well. */
export function disposeRun(run: Run, successor: Run | undefined): void {
  run.digit.dispose();
  run.session.dispose();
  if (run.engine.engine !== successor?.engine.engine) run.engine.engine.dispose();
}
