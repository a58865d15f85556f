import type { Threads } from '../engine/engine';

/** Steps in a row with one number of threads. The first is not counted: helpers wake up in it. */
const TURN = 5;
const ROUNDS = 5;
/** How long a choice holds at first, and at most: what else the machine does is soon another, above all when somebody comes or goes. */
const HOLDS_MS = 1000;
const HOLDS_MOST_MS = 30_000;
/** One thread less is taken where it costs no more than this share: cores are for others, too. */
const NO_GAIN = 1.03;

/**
 * How many threads the steps of a run use, found by measuring them on the run itself: any number of threads gives the same
 * bits, so nothing is computed twice for it. While somebody watches, one core is left to the page, which otherwise would take it
 * in turns with training and be late with every picture.
 */
export class ThreadChoice {
  private readonly threads: Threads;
  private readonly cores: number;
  private limit: number;
  /** Numbers to choose from, ascending, and the times of their steps, ms. */
  private candidates: readonly { readonly count: number; readonly times: number[] }[] = [];
  /** Steps since the measurement began. */
  private measured = 0;
  private trainedMs = 0;
  private holdsMs = HOLDS_MS;

  /** @param cores of the machine that this process may use */
  constructor(threads: Threads, cores: number) {
    this.threads = threads;
    this.cores = cores;
    this.limit = this.most(false);
    this.measure();
  }

  setWatched(watched: boolean): void {
    const limit = this.most(watched);
    if (limit === this.limit) return;
    this.limit = limit;
    this.holdsMs = HOLDS_MS;
    this.measure();
  }

  /** @param milliseconds that the step took, without what stood in between */
  finishedStep(milliseconds: number): void {
    if (this.isSettled()) {
      this.trainedMs += milliseconds;
      if (this.trainedMs < this.holdsMs) return;
      this.holdsMs = Math.min(HOLDS_MOST_MS, 2 * this.holdsMs);
      this.measure();
      return;
    }
    if (this.measured % TURN > 0) this.current.times.push(milliseconds);
    this.measured += 1;
    this.threads.use(this.isSettled() ? this.best() : this.current.count);
  }

  private most(watched: boolean): number {
    return Math.min(this.threads.most, Math.max(1, watched ? this.cores - 1 : this.cores));
  }

  private measure(): void {
    const counts = [];
    for (let count = 1; count < this.limit; count *= 2) counts.push(count);
    counts.push(this.limit);
    this.candidates = counts.map((count) => ({ count, times: [] }));
    this.measured = 0;
    this.trainedMs = 0;
    this.threads.use(this.isSettled() ? this.limit : this.current.count);
  }

  private isSettled(): boolean {
    const { length } = this.candidates;
    return length === 1 || this.measured >= length * TURN * ROUNDS;
  }

  private get current(): ThreadChoice['candidates'][number] {
    return this.candidates[Math.floor(this.measured / TURN) % this.candidates.length]!;
  }

  private best(): number {
    const medians = this.candidates.map(({ count, times }) => ({ count, ms: middle(times) }));
    const least = Math.min(...medians.map(({ ms }) => ms));
    return medians.find(({ ms }) => ms <= least * NO_GAIN)?.count ?? this.limit;
  }
}

const middle = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
