import { setBackend } from '@tensorflow/tfjs-core';
import type { EngineSpeed } from '../../src-shared/model/engine-table';
import { type LayerPlan, planNetwork } from '../../src-shared/model/network';
import { checkOrder } from '../../src-shared/model/order';
import type { Phase } from '../../src-shared/model/phases';
import { type Recipe, recipeNamed } from '../../src-shared/model/recipe';
import type { Mode, RunConfig } from '../../src-shared/model/run-config';
import { readSafetensors } from '../../src-shared/model/safetensors';
import { type DigitChoice, DigitProbe } from '../probe/digit';
import type { Dataset } from '../data/dataset';
import type { OpenedEngine } from '../engine';
import type { Engine } from '../engine/engine';
import type { EngineChoices } from './engine-choice';
import type { NonFiniteReport } from './first-non-finite';
import { FitTime } from './fit-time';
import { KernelHistory } from './kernel-history';
import { Meter } from './meter';
import { Session } from './session';

/** One run: what is trained, with what, and what the trainer has to remember about it. */
export interface Run {
  readonly runId: number;
  /** Of the engine it says what was asked for last. */
  config: RunConfig;
  readonly recipe: Recipe;
  engine: OpenedEngine;
  /** What is known of the engines on this network; empty: nothing. */
  engineTable: readonly EngineSpeed[];
  /** Whether auto has still to measure the engines: before the first step, or not at all. */
  choosing: boolean;
  readonly session: Session;
  readonly digit: DigitProbe;
  readonly meter: Meter;
  readonly fitTime: FitTime;
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
   * Everything that decides the weights but the loop, as text; null once weights were changed by hand or the engine was
   * switched after the first step, as another run with the same config then proves nothing.
   */
  proofKey: string | null;
  /** What was told of the first NaN or infinity. */
  nonFiniteTold: NonFiniteReport | null;
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
  readonly engines: EngineChoices;
  readonly now: () => number;
}

/**
 * Refuses what can be refused without touching the run under way.
 * @returns what there is to remark on the weights (see readSafetensors)
 * @throws GradscopeError `unknown-recipe`, `bad-config`, `bad-order`, `bad-weights`
 */
export function checkRunRequest({ config, weights }: RunRequest, dataset: Dataset): string | null {
  const plan = planNetwork(recipeNamed(config.recipe).network);
  if (config.order !== null) checkOrder(config.order, dataset.train.count);
  return weights === null ? null : readSafetensors(weights.file, plan.parameters, weights.fileName).remark;
}

/**
 * Makes a new run beside the current one, on the engine that is open where that is the one to take.
 * @throws GradscopeError as checkRunRequest, and `engine-unavailable`, `engine-cannot-run`; the current run is then as it was.
 */
export async function createRun(
  runId: number,
  request: RunRequest,
  surroundings: RunSurroundings,
  current: Run | undefined,
): Promise<Run> {
  const { config } = request;
  const { dataset, engines } = surroundings;
  try {
    const plan = await engines.plan(config.engine, { recipe: recipeNamed(config.recipe), config, dataset });
    return await engines.takeFirst(plan, current, (engine) => {
      const run = createRunOn(engine, runId, request, surroundings);
      run.engineTable = plan.table;
      run.choosing = !plan.isMeasured(engine.engine);
      return run;
    });
  } catch (error) {
    if (current !== undefined) await activate(current);
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
    const { mode, stopAtStep } = config;
    return {
      runId,
      config,
      recipe,
      engine,
      engineTable: [],
      choosing: false,
      session,
      digit,
      meter: new Meter(now),
      fitTime: new FitTime(now),
      kernelHistory: new KernelHistory(session),
      mode,
      wantedMode: mode,
      layerAt: null,
      // An abandoned minibatch leaves the layer behind at which it was given up.
      get place() {
        return session.inStep && this.layerAt !== null ? this.layerAt : { phase: session.phase, layer: null };
      },
      stopAtStep,
      proofKey: proofKeyOf(engine.engine, config, session),
      nonFiniteTold: null,
    };
  } catch (error) {
    session.dispose();
    throw error;
  }
}

/** Of a run at step 0. */
const proofKeyOf = (
  { name, variant, versions }: Engine,
  { seed, dropout, order }: RunConfig,
  session: Pick<Session, 'recipe' | 'weightsSha256'>,
): string =>
  JSON.stringify({
    recipe: session.recipe,
    engine: { name, variant, versions },
    seed,
    dropout,
    order,
    from: session.weightsSha256(),
  });

/** Makes the engine of a run the one that computes: tfjs has one active backend for the thread. */
export async function activate({ session }: Run): Promise<void> {
  await setBackend(session.network.tensors.backend);
}

/**
 * Lets a run go on on another engine, which must be active, and disposes the one of before.
 * @param leave called once nothing can go wrong any more, to free what else computes on the engine of before
 * @throws GradscopeError `engine-cannot-run`, or `not-now` within a step; nothing has changed then
 */
export function moveRun(run: Run, engine: OpenedEngine, leave: () => void): void {
  const { session, digit, config } = run;
  const { engine: former } = run.engine;
  const { before } = session.moveTo(engine.engine);
  leave();
  digit.moveTo(session.network);
  before.dispose();
  former.dispose();
  run.engine = engine;
  // Weights that two engines trained are those of no run on either.
  if (run.proofKey !== null)
    run.proofKey = session.step > 0 ? null : proofKeyOf(engine.engine, config, session);
}

/** Frees a run that another has replaced, and its engine when that was replaced as well. */
export function disposeRun(run: Run, successor: Run | undefined): void {
  run.digit.dispose();
  run.session.dispose();
  if (run.engine.engine !== successor?.engine.engine) run.engine.engine.dispose();
}
