import { NEWEST } from './meter';

/** ms a step, lately. */
export interface MeanFitTime {
  /** In fit() itself: tfjs-layers, its tape, its data, and what wraps the session's operations for it. */
  readonly ownMs: number;
  /** `ownMs` and the session's operations, which are those of the imperative loop. */
  readonly stepMs: number;
}

/**
 * What fit() costs: of the time from the beginning of a minibatch to where fit() asks for the next, all that is spent neither in the
 * session's operations nor aside. Measured in the run itself. Times are ms of `now`.
 */
export class FitTime {
  readonly #now: () => number;
  #mark = 0;
  #open = false;
  #ownMs = 0;
  #workMs = 0;
  #mean: MeanFitTime | null = null;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** A minibatch begins; what an abandoned one took is forgotten. */
  began(): void {
    this.#ownMs = this.#workMs = 0;
    this.#open = true;
    this.#mark = this.#now();
  }

  /** Runs an operation of the session. */
  work<T>(operation: () => T): T {
    this.#passed('own');
    try {
      return operation();
    } finally {
      this.#passed('work');
    }
  }

  /** Runs what belongs to no loop: standing at a gate, serving commands, giving pictures. */
  aside<T>(run: () => T): T {
    this.#passed('own');
    try {
      return run();
    } finally {
      this.#passed(null);
    }
  }

  /** fit() asks for the next minibatch. */
  finished(): void {
    if (!this.#open) return;
    this.#passed('own');
    this.#open = false;
    const newest = { ownMs: this.#ownMs, stepMs: this.#ownMs + this.#workMs };
    const before = this.#mean ?? newest;
    const follow = (part: keyof MeanFitTime): number => before[part] + NEWEST * (newest[part] - before[part]);
    this.#mean = { ownMs: follow('ownMs'), stepMs: follow('stepMs') };
  }

  /** The steps so far say nothing of those to come: another engine trains them. */
  forget(): void {
    this.#mean = null;
  }

  /** Null before the first step by fit() on this engine. */
  get mean(): MeanFitTime | null {
    return this.#mean;
  }

  #passed(to: 'own' | 'work' | null): void {
    const now = this.#now();
    if (to === 'own') this.#ownMs += now - this.#mark;
    else if (to === 'work') this.#workMs += now - this.#mark;
    this.#mark = now;
  }
}
