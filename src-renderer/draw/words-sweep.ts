import type { Painter } from './painter';

/**
 * What would take longer waits for the next animation frame. Where the processor draws, what is written is drawn anew tile by
 * tile, which takes several times as long as writing it: twice as many frames with half as much in each are worth it.
 */
const SLICE_MS = 0.6;
/** Where every animation frame has a picture, words are written in one after so many without. */
const MOST_PASSED_OVER = 3;
/** Where no picture has come for so long, none is waited for. */
const PATIENCE_MS = 80;
/** Weight of the newest time in what a painter usually takes. */
const NEWEST = 0.25;

/** What is written at one go. */
interface Portion {
  readonly painters: Set<Painter>;
  readonly isGroup: boolean;
  /** How long it usually takes, ms. */
  usualMs: number;
}

/**
 * Which words and charts are written in an animation frame. Free, all of them in each. At a pace, a sweep through all
 * begins at most once an interval and goes on slice by slice, each in the animation frame after one with a picture: text is laid
 * out and pictures are composed, so a frame with both would take as long as both; and the next picture is furthest away then.
 */
export class WordsSweep {
  private readonly portions = new Map<string | Painter, Portion>();
  private rest: Portion[] = [];
  private owed = false;
  private intervalMs = 0;
  private begunMs = Number.NEGATIVE_INFINITY;
  private passedOver = 0;
  private readonly begun: () => void;

  /** @param begun called when a sweep begins, before its first word */
  constructor(begun: () => void = () => undefined) {
    this.begun = begun;
  }

  /**
   * @param group painters of one group are written in the same animation frame, so that nobody sees some of them of one
   * picture and some of another
   */
  add(painter: Painter, group?: string): void {
    const key = group ?? painter;
    const portion = this.portions.get(key) ?? {
      painters: new Set(),
      isGroup: group !== undefined,
      usualMs: 0,
    };
    portion.painters.add(painter);
    this.portions.set(key, portion);
  }

  remove(painter: Painter, group?: string): void {
    const key = group ?? painter;
    const portion = this.portions.get(key);
    portion?.painters.delete(painter);
    if (portion?.painters.size === 0) this.portions.delete(key);
  }

  /** @param intervalMs from the beginning of one sweep to that of the next; 0: free. True if that changed it. */
  setInterval(intervalMs: number): boolean {
    const changes = this.intervalMs !== intervalMs;
    this.intervalMs = intervalMs;
    return changes;
  }

  /** What the words are about has changed. */
  owe(): void {
    this.owed = true;
  }

  /** All words say what is so. */
  get done(): boolean {
    return !this.owed && this.rest.length === 0;
  }

  /** Something is to be written, and may be. */
  isDue(nowMs: number): boolean {
    return this.rest.length > 0 || (this.owed && nowMs >= this.begunMs + this.intervalMs);
  }

  /** How long from now until an animation frame is wanted for words alone even if no picture comes, ms. */
  patience(nowMs: number): number {
    if (this.intervalMs === 0) return 0;
    const wait = this.rest.length > 0 ? 0 : Math.max(0, this.begunMs + this.intervalMs - nowMs);
    return wait + PATIENCE_MS;
  }

  /**
   * Writes what is due in the animation frame of `nowMs`.
   * @param hasPicture the frame is there for other things too
   * @param now the clock that slices are cut by, ms
   */
  run(nowMs: number, hasPicture: boolean, now: () => number, write: (painter: Painter) => void): void {
    const isFree = this.intervalMs === 0;
    this.passedOver = hasPicture && !isFree && this.passedOver < MOST_PASSED_OVER ? this.passedOver + 1 : 0;
    if (this.passedOver > 0) return;
    const mayBegin = this.rest.length === 0 && nowMs >= this.begunMs + this.intervalMs;
    if (isFree || (this.owed && mayBegin)) {
      // Those that say together of which step the picture is come first: it is still on the screen then.
      this.rest = [...this.portions.values()].toSorted((a, b) => Number(b.isGroup) - Number(a.isGroup));
      this.owed = false;
      this.begunMs = nowMs;
      this.begun();
    }
    const startMs = now();
    const endMs = isFree ? Number.POSITIVE_INFINITY : startMs + SLICE_MS;
    let atMs = startMs;
    for (let next = this.rest[0]; next !== undefined; next = this.rest[0]) {
      // One that takes more than a slice has one for itself.
      if (atMs > startMs && atMs + next.usualMs > endMs) return;
      this.rest.shift();
      if (next.painters.size === 0) continue;
      // One may take itself away while it is written.
      for (const painter of [...next.painters]) write(painter);
      const endedMs = now();
      next.usualMs += NEWEST * (endedMs - atMs - next.usualMs);
      atMs = endedMs;
    }
  }

  clear(): void {
    this.rest = [];
    this.owed = false;
  }
}
