import { type Phase, PHASES } from '../../src-shared/model/phases';

/** Weight of the newest step in a mean over the last ones: about ten count. */
export const NEWEST = 0.1;
const WINDOW_MS = 1000;

type PhaseTimes = Record<Phase, number>;
const noTimes = (): PhaseTimes => ({ zeroGrad: 0, forward: 0, loss: 0, backward: 0, step: 0 });

/** How long training takes over what, standing still left out. Times are ms of `now`. */
export class Meter {
  private readonly now: () => number;
  private mark = 0;
  private current = noTimes();
  private average: PhaseTimes | undefined;
  /** When the last steps finished, and how many images each had. */
  private recent: { readonly atMs: number; readonly images: number }[] = [];
  private busyMs = 0;
  private busySince: number | undefined;

  constructor(now: () => number) {
    this.now = now;
  }

  /** A minibatch begins. */
  began(): void {
    this.mark = this.now();
    this.busySince ??= this.mark;
    this.current = noTimes();
  }

  /** What was done since the last call, or since training went on, belongs to `phase`. */
  reached(phase: Phase): void {
    const now = this.now();
    this.current[phase] += now - this.mark;
    this.mark = now;
  }

  /** Training stands, or something else is done, from now on. Speed is measured anew afterwards. */
  stopped(): void {
    this.busyMs = this.busy;
    this.busySince = undefined;
    this.recent = [];
  }

  /** Training goes on. */
  wentOn(): void {
    this.mark = this.now();
    this.busySince ??= this.mark;
  }

  /** Time that went into training, in ms: all of it but that between `stopped` and going on. */
  get busy(): number {
    return this.busyMs + (this.busySince === undefined ? 0 : this.now() - this.busySince);
  }

  finishedStep(images: number): void {
    const { current } = this;
    const average = this.average ?? current;
    const mean = noTimes();
    for (const phase of PHASES) mean[phase] = average[phase] + NEWEST * (current[phase] - average[phase]);
    this.average = mean;
    const now = this.now();
    this.recent.push({ atMs: now, images });
    // The newest of those before the window stays: the window begins with it.
    while ((this.recent[1]?.atMs ?? Infinity) < now - WINDOW_MS) this.recent.shift();
  }

  /** The last finished step, without the time in which training stood, ms. */
  get stepMs(): number {
    return total(this.current);
  }

  /** Share of each phase in the time of a step, adding up to 1; null before the first step. */
  get shares(): PhaseTimes | null {
    if (this.average === undefined) return null;
    const sum = total(this.average);
    if (sum === 0) return null;
    const shares = noTimes();
    for (const phase of PHASES) shares[phase] = this.average[phase] / sum;
    return shares;
  }

  /** Over the last second or the last two steps, whatever is longer; null when not known. */
  get speed(): { readonly stepsPerSecond: number; readonly imagesPerSecond: number } | null {
    const [first, ...later] = this.recent;
    const last = later.at(-1);
    if (first === undefined || last === undefined || last.atMs === first.atMs) return null;
    const seconds = (last.atMs - first.atMs) / 1000;
    const images = later.reduce((sum, step) => sum + step.images, 0);
    return { stepsPerSecond: later.length / seconds, imagesPerSecond: images / seconds };
  }
}

const total = (times: PhaseTimes): number => PHASES.reduce((sum, phase) => sum + times[phase], 0);
