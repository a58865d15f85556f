import type { EngineChoice } from '../../src-shared/model/run-config';
import type { OpenedEngine } from '../engine';
import type { Engine } from '../engine/engine';
import { type EngineChoices, MEASURED } from './engine-choice';
import type { TrialSubject } from './engine-trial';
import { activate, moveRun, type Run } from './run';
import { failureOf } from './thread-messages';

export interface EngineSwitchParts {
  readonly engines: EngineChoices;
  /** The run leaves its engine: whatever else computes on that is freed now. */
  readonly leave: (run: Run) => void;
  /** The run is on the engine that it says, and its table is what is known. */
  readonly settled: (run: Run) => void;
}

type Measurement = ReturnType<EngineChoices['measure']>;

/** Moves runs from engine to engine: to the one asked for, and those on auto to the fastest once that is known. */
export class EngineSwitch {
  readonly #parts: EngineSwitchParts;
  /** Of one run; stands still between two pieces for as long as one likes. */
  #measurement: Measurement | undefined;

  constructor(parts: EngineSwitchParts) {
    this.#parts = parts;
  }

  /**
   * Measures the engines for a run, as long as `mayGoOn` says before each piece, and has a run on auto take the fastest when all are
   * measured.
   * The engine of the run is active whenever it asks, and afterwards. Between two minibatches only.
   */
  async choose(run: Run, mayGoOn: () => boolean): Promise<void> {
    const { threads } = run.engine.engine;
    const inUse = threads?.inUse ?? 1;
    const measurement = (this.#measurement ??= this.#parts.engines.measure(
      run.engine.engine,
      subjectOf(run),
    ));
    for (;;) {
      // Whoever is served meanwhile computes on it.
      await activate(run);
      if (!mayGoOn()) break;
      const piece = await measurement.next();
      threads?.use(inUse);
      if (piece.done !== true) continue;
      this.#measurement = undefined;
      const { table, engine } = piece.value;
      run.engineTable = table;
      run.choosing = false;
      if (engine !== null && run.config.engine === 'auto') this.#takeFastest(run, engine);
      else if (engine !== run.engine.engine) engine?.dispose();
      break;
    }
    await activate(run);
    if (!run.choosing) this.#parts.settled(run);
  }

  /**
   * Goes on on the engine asked for. Between two minibatches only.
   * @throws GradscopeError `engine-unavailable`, `engine-cannot-run`; the run is then as it was
   */
  async to(run: Run, choice: EngineChoice): Promise<void> {
    const { engines } = this.#parts;
    try {
      const plan = await engines.plan(choice, subjectOf(run));
      if (plan.isAuto && plan.table.length === 0) {
        run.config = { ...run.config, engine: choice };
        await this.choose(run, () => true);
        return;
      }
      await this.giveUp();
      await engines.takeFirst(plan, run, (engine) => {
        this.#take(run, engine);
      });
      run.config = { ...run.config, engine: choice };
      run.choosing = false;
      if (plan.table.length > 0) run.engineTable = plan.table;
      if (!plan.isMeasured(run.engine.engine)) {
        await this.choose(run, () => true);
        return;
      }
    } finally {
      await activate(run);
    }
    this.#parts.settled(run);
  }

  /** Measures all engines again, whatever is known of them. Between two minibatches only. */
  async measureAnew(run: Run): Promise<void> {
    await this.giveUp();
    run.choosing = true;
    await this.choose(run, () => true);
  }

  /** The run is over or is replaced: what was opened to measure is freed. */
  async giveUp(): Promise<void> {
    const measurement = this.#measurement;
    this.#measurement = undefined;
    await measurement?.return(undefined as never);
  }

  /** It could train the network beside the run's own a moment ago; if it cannot now, the run stays where it is. */
  #takeFastest(run: Run, engine: Engine): void {
    try {
      this.#take(run, { engine, chosenBecause: MEASURED });
    } catch (error) {
      engine.dispose();
      run.engine = { ...run.engine, chosenBecause: `auto stays with it: ${failureOf(error).message}` };
    }
  }

  #take(run: Run, engine: OpenedEngine): void {
    if (engine.engine === run.engine.engine) run.engine = engine;
    else {
      moveRun(run, engine, () => {
        this.#parts.leave(run);
      });
    }
  }
}

const subjectOf = ({ recipe, config, session: { dataset } }: Run): TrialSubject => ({
  recipe,
  config,
  dataset,
});
