import { setBackend } from '@tensorflow/tfjs-core';
import { type EngineSpeed, fastest } from '../../src-shared/model/engine-table';
import { ENGINE_NAMES, type EngineName } from '../../src-shared/model/run-config';
import type { RunConfig } from '../../src-shared/model/run-config';
import { GradscopeError } from '../../src-shared/protocol/errors';
import type { openEngine, OpenedEngine } from '../engine';
import type { Engine } from '../engine/engine';
import type { EngineTables } from './engine-tables';
import { createTrial, minibatchSize, type TrialSubject } from './engine-trial';
import { type MeasuredEngine, measureEngines } from './measure-engines';
import type { Session } from './session';

export interface EngineChoiceParts {
  readonly openEngine: typeof openEngine;
  readonly tables: EngineTables;
  /** All of the machine and the program that decides how fast they are, as text. */
  readonly machine: string;
  /** ms of a clock that only goes forward */
  readonly now: () => number;
}

/** Which engines are to be tried for a run, in this order, until one of them can run it. */
export interface EnginePlan {
  readonly names: readonly EngineName[];
  readonly isAuto: boolean;
  /** What is known of the engines on this network; empty: nothing. */
  readonly table: readonly EngineSpeed[];
  readonly chosenBecause: string;
  /** Whether an engine, once open, is the one to take, and auto need not measure it first. */
  readonly isMeasured: (engine: Engine) => boolean;
}

interface MeasuredChoice {
  readonly table: readonly EngineSpeed[];
  /** The fastest, active; null: none could train the network. It is the caller's to dispose, unless it was its own. */
  readonly engine: Engine | null;
}

export const MEASURED = 'auto measured it to be the fastest';
const MEASURED_BEFORE = 'the fastest when auto measured this network on this machine before';
const NOT_MEASURED = 'auto takes the first engine that loads until it has measured them';

const same = (one: MeasuredEngine['versions'], other: MeasuredEngine['versions']): boolean =>
  JSON.stringify(Object.entries(one).toSorted()) === JSON.stringify(Object.entries(other).toSorted());

/** Knows how fast the engines are for what is trained, or finds it out. */
export class EngineChoices {
  readonly #parts: EngineChoiceParts;

  constructor(parts: EngineChoiceParts) {
    this.#parts = parts;
  }

  /** Another engine may be active afterwards. */
  async plan(choice: RunConfig['engine'], subject: TrialSubject): Promise<EnginePlan> {
    const kept = this.#parts.tables.get(this.#keyOf(subject)) ?? [];
    if (choice !== 'auto') {
      return {
        names: [choice],
        isAuto: false,
        table: kept.map(withoutVersions),
        chosenBecause: 'asked for by name',
        isMeasured: () => true,
      };
    }
    const best = (await this.#hasBecomeAvailable(kept)) ? undefined : fastest(kept);
    const bestName = ENGINE_NAMES.find((name) => name === best?.name);
    if (best === undefined || bestName === undefined) {
      return {
        names: ENGINE_NAMES,
        isAuto: true,
        table: [],
        chosenBecause: NOT_MEASURED,
        isMeasured: () => false,
      };
    }
    return {
      names: [bestName, ...ENGINE_NAMES.filter((name) => name !== bestName)],
      isAuto: true,
      table: kept.map(withoutVersions),
      chosenBecause: MEASURED_BEFORE,
      isMeasured: ({ name, variant, versions }) =>
        name === bestName && variant === best.variant && same(versions, best.versions),
    };
  }

  /**
   * Opens the engines of a plan one after the other until `use` works on one. `auto` goes on to the next when one cannot load
   * or cannot run the network. What was opened for nothing is disposed, but another engine may be active when this throws.
   * @param current a run whose engine is open and is taken where it is the one that is planned
   * @throws GradscopeError `engine-unavailable`, `engine-cannot-run`; what `use` throws
   */
  async takeFirst<T>(
    plan: EnginePlan,
    current: { readonly engine: OpenedEngine; readonly session: Session } | undefined,
    use: (engine: OpenedEngine) => T,
  ): Promise<T> {
    const refusals: string[] = [];
    for (const name of plan.names) {
      let opened: Engine | undefined;
      try {
        let engine: Engine;
        if (current?.engine.engine.name === name) {
          ({ engine } = current.engine);
          // Another may have been made active on the way here.
          await setBackend(current.session.network.tensors.backend);
        } else {
          ({ engine } = await this.#parts.openEngine(name));
          opened = engine;
        }
        const chosenBecause =
          refusals.length === 0 ? plan.chosenBecause : `auto went on to it: ${refusals.join(' ')}`;
        return use({ engine, chosenBecause });
      } catch (error) {
        opened?.dispose();
        if (!plan.isAuto || !isRefusal(error)) throw error;
        refusals.push(error.message);
      }
    }
    throw new GradscopeError('engine-unavailable', `No engine can train this network. ${refusals.join(' ')}`);
  }

  /**
   * Measures every engine that loads, piece by piece; may be given up between two (return() frees everything but `own`).
   * Another engine may be active then.
   * @param own the engine of the run, which is open and stays so
   */
  async *measure(own: Engine, subject: TrialSubject): AsyncGenerator<undefined, MeasuredChoice> {
    const opened = new Map<string, Engine>([[own.name, own]]);
    let chosen: Engine | undefined;
    // The run's own first: it is open, and likely to be fast, which spares the others much of their time.
    const names = [own.name, ...ENGINE_NAMES.filter((name) => name !== own.name)];
    const entrants = names.map((name) => ({
      name,
      load: async () => {
        const engine = opened.get(name) ?? (await this.#parts.openEngine(name)).engine;
        opened.set(name, engine);
        const { variant, versions } = engine;
        return { variant, versions, createTrial: () => createTrial(engine, subject) };
      },
    }));
    try {
      const { engines, fastest: best } = yield* measureEngines(entrants, this.#parts.now);
      engines.sort((one, other) => rankOf(one) - rankOf(other));
      if (best !== null) {
        this.#parts.tables.put(this.#keyOf(subject), engines);
        chosen = opened.get(best);
      }
      return { table: engines.map(withoutVersions), engine: chosen ?? null };
    } finally {
      for (const engine of opened.values()) {
        if (engine !== own && engine !== chosen) engine.dispose();
      }
    }
  }

  /** Whether an engine that could not load when it was measured can now. */
  async #hasBecomeAvailable(kept: readonly MeasuredEngine[]): Promise<boolean> {
    const couldLoad = (name: EngineName): boolean => kept.find((row) => row.name === name)?.variant !== null;
    for (const name of ENGINE_NAMES) {
      if (couldLoad(name)) continue;
      // A trainer holds one TensorFlow: trying this one would keep the other out, which comes first.
      if (name === 'tensorflow' && couldLoad('tensorflow-gpu')) continue;
      try {
        (await this.#parts.openEngine(name)).engine.dispose();
        return true;
      } catch (error) {
        if (!isRefusal(error)) throw error;
      }
    }
    return false;
  }

  #keyOf(subject: TrialSubject): string {
    const { network, optimiser } = subject.recipe;
    const { dropout } = subject.config;
    const minibatch = minibatchSize(subject);
    return JSON.stringify({
      network,
      optimiser,
      dropout,
      minibatch,
      machine: this.#parts.machine,
      ENGINE_NAMES,
    });
  }
}

/** Whether an engine said that it cannot load or cannot run a network, rather than that something is broken. */
const isRefusal = (error: unknown): error is GradscopeError =>
  error instanceof GradscopeError &&
  (error.code === 'engine-unavailable' || error.code === 'engine-cannot-run');

const rankOf = ({ name }: EngineSpeed): number => ENGINE_NAMES.findIndex((known) => known === name);

const withoutVersions = ({ name, variant, imagesPerSecond, reason }: MeasuredEngine): EngineSpeed => ({
  name,
  variant,
  imagesPerSecond,
  reason,
});
