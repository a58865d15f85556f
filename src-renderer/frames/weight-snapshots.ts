import type { FrameView } from './frame-store';

export interface WeightSnapshot {
  readonly step: number;
  readonly values: Float32Array;
}

interface Snapshot {
  readonly step: number;
  readonly weights: ReadonlyMap<string, Float32Array>;
}

/** For an age of N steps: a snapshot each N / 10 steps, as many as reach a little further back than N. */
const PER_AGE = 10;
const KEPT = PER_AGE + 2;

/**
 * The weights of some of the pictures that this page has seen, so that one can ask how far they have gone in the last N
 * steps. Between two pictures training may do many steps, so what is found is told with its step.
 */
export class WeightSnapshots {
  private readonly rings: readonly { readonly spacing: number; readonly kept: Snapshot[] }[];
  private lastStep = -1;

  /** @param ages the numbers of steps that will be asked for */
  constructor(ages: readonly number[]) {
    this.rings = ages.map((age) => ({ spacing: Math.max(1, age / PER_AGE), kept: [] }));
  }

  /** Adds a picture, as far as its weights are sent whole; one of an earlier step starts over. */
  see(view: FrameView, parameters: readonly string[]): void {
    const step =
      parameters.length === 0 ? null : (view.slot(parameters[0] ?? '', 'weight')?.state.step ?? null);
    if (step === null || step === this.lastStep) return;
    if (step < this.lastStep) this.clear();
    this.lastStep = step;
    let taken: Snapshot | null = null;
    for (const { spacing, kept } of this.rings) {
      const newest = kept.at(-1);
      if (newest !== undefined && step < newest.step + spacing) continue;
      taken ??= { step, weights: weightsOf(view, parameters) };
      kept.push(taken);
      if (kept.length > KEPT) kept.shift();
    }
  }

  /**
   * The newest weights that are at least `age` steps older than `step`, or else the oldest there are; null when the page
   * has none from before `step`.
   */
  earlier(parameter: string, step: number, age: number): WeightSnapshot | null {
    let found: Snapshot | null = null;
    let oldest: Snapshot | null = null;
    for (const { kept } of this.rings) {
      for (const snapshot of kept) {
        if (snapshot.step < step && snapshot.step < (oldest?.step ?? Number.POSITIVE_INFINITY))
          oldest = snapshot;
        if (snapshot.step <= step - age && snapshot.step > (found?.step ?? -1)) found = snapshot;
      }
    }
    const snapshot = found ?? oldest;
    const values = snapshot?.weights.get(parameter);
    return snapshot === null || values === undefined ? null : { step: snapshot.step, values };
  }

  clear(): void {
    for (const { kept } of this.rings) kept.length = 0;
    this.lastStep = -1;
  }
}

function weightsOf(view: FrameView, parameters: readonly string[]): Map<string, Float32Array> {
  const weights = new Map<string, Float32Array>();
  for (const name of parameters) {
    const slot = view.slot(name, 'weight');
    // Block means say nothing of single rows and columns.
    if (slot !== null && slot.slot.block === null && slot.values.length > 0)
      weights.set(name, slot.values.slice());
  }
  return weights;
}
