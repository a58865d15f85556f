import type { EngineSpeed } from '../../src-shared/model/engine-table';
import { failureOf } from './thread-messages';

/** The first steps of a trial are of few images: what they take tells whether a whole minibatch is worth waiting for. */
export const FEW_STEPS = 6;

/** The first of them are run by code that is not compiled well yet. */
const COLD_STEPS = 3;

/** Kernels are compiled better once they have run for a while. */
const WARM_UP_MS = 30;
/** Shortest time that is taken as one measurement. */
const SAMPLE_MS = 10;
/** Steps of whole minibatches in one warm-up or measurement. */
const MOST_STEPS = 8;
const ROUNDS = 5;
/** An engine that is slower for certain trains one whole minibatch, for its number in the table, unless that takes longer. */
const LONGEST_MS = 100;
/** One that is slower than the best by this factor is not measured again. */
const OUT_OF_REACH = 2;

/** Steps that a trial is asked for at most. */
export const MOST_TRIAL_STEPS = FEW_STEPS + (2 + ROUNDS) * MOST_STEPS;

/** An engine on which the network at hand can be trained for a few steps. */
export interface Trial {
  /** Makes it the engine that computes; the one before does so no more. */
  activate(): Promise<void>;
  /** Images in the first FEW_STEPS steps. */
  readonly few: number;
  /** Images in every later one: a whole minibatch. */
  readonly whole: number;
  /** One step of training. */
  step(): void;
  dispose(): void;
}

export interface Entrant {
  readonly name: string;
  /** @throws GradscopeError with the reason why it cannot load */
  load(): Promise<Loaded>;
}

interface Loaded {
  readonly variant: string;
  /** Library -> version. */
  readonly versions: Readonly<Record<string, string>>;
  /** @throws GradscopeError with the reason why it cannot train this network */
  createTrial(): Trial;
}

export interface MeasuredEngine extends EngineSpeed {
  readonly versions: Readonly<Record<string, string>>;
}

export interface Measurement {
  /** In the order of the entrants. */
  readonly engines: MeasuredEngine[];
  /** Name of the one that is active; null: none can train the network. */
  readonly fastest: string | null;
}

/**
 * Times some steps of training on each engine, in turns, and leaves the fastest active. Whatever goes wrong with an engine is its
 * reason in the table. Yields between two pieces of work, and may be given up there (return() frees everything); whoever lets
 * others compute in between makes no trial's engine active again: that is done here.
 *
 * An engine whose few images take longer than a whole minibatch of another is slower for certain, and is left alone after that.
 *
 * @param now ms of a clock that only goes forward
 */
export async function* measureEngines(
  entrants: readonly Entrant[],
  now: () => number,
): AsyncGenerator<undefined, Measurement> {
  const lanes = entrants.map((entrant) => new Lane(entrant, now));
  try {
    let best = Infinity;
    for (const lane of lanes) {
      yield;
      await lane.load();
      yield;
      await lane.tryFew(best === Infinity ? Infinity : LONGEST_MS);
      if (lane.fewMs >= best) {
        if (lane.expectedMs <= LONGEST_MS) await lane.sample();
        continue;
      }
      yield;
      await lane.warmUp();
      yield;
      await lane.sample();
      best = Math.min(best, lane.stepMs);
    }
    const rivals = lanes.filter(({ stepMs }) => stepMs <= OUT_OF_REACH * best);
    for (let round = 1; rivals.length > 1 && round < ROUNDS; round += 1) {
      // Who goes first profits or suffers from it, so they take turns.
      for (const lane of round % 2 === 0 ? rivals : rivals.toReversed()) {
        yield;
        await lane.sample();
      }
    }
    const fastest = lanes.reduce((one, other) => (other.imagesPerMs > one.imagesPerMs ? other : one));
    await fastest.activate();
    const engines = lanes.map((lane) => lane.row());
    return { engines, fastest: fastest.imagesPerMs > 0 ? fastest.name : null };
  } finally {
    for (const lane of lanes) lane.dispose();
  }
}

/** One engine in the race. After a failure nothing is asked of it any more. */
class Lane {
  readonly name: string;
  /** Fewest ms that few images took; Infinity: not known. */
  fewMs = Infinity;
  private readonly entrant: Entrant;
  private readonly now: () => number;
  private loaded: Loaded | undefined;
  private trial: Trial | undefined;
  private failure: string | null = null;
  private fewLeft = FEW_STEPS;
  /** ms a step of a whole minibatch. */
  private readonly samples: number[] = [];

  constructor(entrant: Entrant, now: () => number) {
    this.name = entrant.name;
    this.entrant = entrant;
    this.now = now;
  }

  /** ms a step of a whole minibatch takes, so far; Infinity: not known. */
  get stepMs(): number {
    return this.failure === null ? median(this.samples) : Infinity;
  }

  /** The same if each image takes as long as it does among few. */
  get expectedMs(): number {
    return this.trial === undefined ? Infinity : (this.fewMs / this.trial.few) * this.trial.whole;
  }

  /** 0: not known. */
  get imagesPerMs(): number {
    if (this.failure !== null || this.trial === undefined) return 0;
    const { few, whole } = this.trial;
    return this.samples.length > 0 ? whole / this.stepMs : few / this.fewMs;
  }

  async load(): Promise<void> {
    try {
      this.loaded = await this.entrant.load();
      this.trial = this.loaded.createTrial();
    } catch (error) {
      this.failure = failureOf(error).message;
    }
  }

  /** @param patienceMs no further step is begun after this time; more of it for the first ones, which are slow everywhere */
  tryFew(patienceMs: number): Promise<void> {
    return this.attempt((trial) => {
      let took = 0;
      let steps = 0;
      while (this.fewLeft > 0 && took < (steps < COLD_STEPS ? COLD_STEPS : 1) * patienceMs) {
        const ms = this.few(trial);
        this.fewMs = Math.min(this.fewMs, ms);
        took += ms;
        steps += 1;
      }
    });
  }

  warmUp(): Promise<void> {
    return this.attempt((trial) => {
      this.run(trial, WARM_UP_MS);
    });
  }

  sample(): Promise<void> {
    return this.attempt((trial) => {
      this.samples.push(this.run(trial, SAMPLE_MS));
    });
  }

  activate(): Promise<void> {
    return this.attempt(() => undefined);
  }

  row(): MeasuredEngine {
    const { variant = null, versions = {} } = this.loaded ?? {};
    const { imagesPerMs } = this;
    return {
      name: this.name,
      variant,
      versions,
      imagesPerSecond: imagesPerMs > 0 ? 1000 * imagesPerMs : null,
      reason: this.failure,
    };
  }

  dispose(): void {
    this.trial?.dispose();
  }

  /** Trains whole minibatches for about so long. Returns ms a step. */
  private run(trial: Trial, ms: number): number {
    while (this.fewLeft > 0) this.few(trial);
    let took = 0;
    let steps = 0;
    while (steps < MOST_STEPS && took < ms) {
      took += this.time(() => {
        trial.step();
      });
      steps += 1;
    }
    return took / steps;
  }

  private few(trial: Trial): number {
    this.fewLeft -= 1;
    return this.time(() => {
      trial.step();
    });
  }

  private time(work: () => void): number {
    const begin = this.now();
    work();
    return this.now() - begin;
  }

  private async attempt(work: (trial: Trial) => void): Promise<void> {
    const { trial, failure } = this;
    if (trial === undefined || failure !== null) return;
    try {
      await trial.activate();
      work(trial);
    } catch (error) {
      this.failure = failureOf(error).message;
    }
  }
}

/** Infinity of none. */
function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  if (sorted.length === 0) return Infinity;
  return (sorted[Math.ceil(half) - 1]! + sorted[Math.floor(half)]!) / 2;
}
