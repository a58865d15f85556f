import type { Painter } from './painter';
import { WordsSweep } from './words-sweep';

/**
 * Phases of one animation frame, in this order: take in what arrived, paint it, say it in words and charts, then tell
 * others that it is painted. Words cost layout and are read by people, so they may keep a slower pace than pictures.
 */
export const FRAME_PHASES = ['read', 'draw', 'words', 'after'] as const;
export type FramePhase = (typeof FRAME_PHASES)[number];

/** The browser's clock and frames, passed in so that tests can drive them. */
export interface FrameHost {
  requestFrame(callback: (nowMs: number) => void): number;
  cancelFrame(handle: number): void;
  now(): number;
  after(delayMs: number, callback: () => void): () => void;
  /** Calls back once the page has laid out and painted what the animation frame changed. */
  whenRendered(callback: () => void): void;
  report(error: unknown): void;
}

export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
}

export interface FramePerformance {
  /** Animation frames painted since the page opened. */
  readonly frames: number;
  /** Time our work took in an animation frame, ms, over the last frames. */
  readonly work: Percentiles;
  readonly phases: Readonly<Record<FramePhase, Percentiles>>;
  /** Time a whole animation frame kept the page busy, ms: our work, and layout and paint after it. */
  readonly busy: Percentiles;
  /** From asking for an animation frame to getting it, ms. */
  readonly wait: Percentiles;
  /** Between two animation frames the second of which was asked for in time for the next refresh of the screen, ms. */
  readonly interval: Percentiles;
}

/** Frames that figures are of: enough for the slowest twentieth of them to be more than a few. */
export const HISTORY = 400;

/** Weight of the newest frame in `cost`. */
const NEWEST = 0.1;

/** Half a refresh at 60 Hz: who asks within it after a frame began can have the next refresh. */
const IN_TIME_MS = 8;

/**
 * The only requestAnimationFrame of the app. It sleeps until something is invalid, then runs every painter once, phase
 * by phase. A painter that throws is reported and does not keep the others from painting.
 */
export class FrameLoop {
  private readonly host: FrameHost;
  private readonly painters = {
    read: new Set<Painter>(),
    draw: new Set<Painter>(),
    after: new Set<Painter>(),
  };
  private readonly sweepListeners = new Set<() => void>();
  private readonly words = new WordsSweep(() => {
    for (const listener of this.sweepListeners) listener();
  });
  private handle: number | null = null;
  private timer: { readonly dueMs: number; readonly cancel: () => void } | null = null;
  private idleWaiters: (() => void)[] = [];
  private stopped = false;
  private frames = 0;
  private askedAtMs = 0;
  /** The next animation frame is not there for words alone. */
  private pictureAsked = false;
  private previousMs = Number.NEGATIVE_INFINITY;
  private readonly work = new Ring();
  private readonly busy = new Ring();
  private usualCost = 0;
  private readonly wait = new Ring();
  private readonly interval = new Ring();
  private readonly phaseTimes: Record<FramePhase, Ring> = {
    read: new Ring(),
    draw: new Ring(),
    words: new Ring(),
    after: new Ring(),
  };

  constructor(host: FrameHost = browserHost) {
    this.host = host;
  }

  /**
   * Returns what removes it. A painter added during a frame runs from the next one on.
   * @param group of words: those of one group are always written in the same animation frame
   */
  addPainter(phase: FramePhase, painter: Painter, group?: string): () => void {
    if (phase === 'words') this.words.add(painter, group);
    else this.painters[phase].add(painter);
    this.invalidate();
    return () => {
      if (phase === 'words') this.words.remove(painter, group);
      else this.painters[phase].delete(painter);
    };
  }

  /** Called when a sweep through the words begins, before the first of them. Returns what ends that. */
  onSweep(listener: () => void): () => void {
    this.sweepListeners.add(listener);
    return () => {
      this.sweepListeners.delete(listener);
    };
  }

  /** Asks for one animation frame; asking again before it comes changes nothing. */
  invalidate(): void {
    if (this.stopped) return;
    this.words.owe();
    this.pictureAsked = true;
    this.requestFrame();
  }

  private requestFrame(): void {
    if (this.stopped || this.handle !== null) return;
    this.askedAtMs = this.host.now();
    this.handle = this.host.requestFrame((nowMs) => {
      this.run(nowMs);
    });
  }

  /** Asks for an animation frame in a while; of several the earliest counts. Waiting for it counts as idle. */
  invalidateAfter(delayMs: number): void {
    this.requestFrameAfter(delayMs);
  }

  private requestFrameAfter(delayMs: number): void {
    if (this.stopped) return;
    const dueMs = this.host.now() + delayMs;
    if (this.timer !== null && this.timer.dueMs <= dueMs) return;
    this.timer?.cancel();
    const cancel = this.host.after(delayMs, () => {
      this.timer = null;
      this.requestFrame();
    });
    this.timer = { dueMs, cancel };
  }

  /** Asks for the words only: at once, or when their pace allows. */
  invalidateWords(): void {
    if (this.stopped) return;
    this.words.owe();
    this.requestWords();
  }

  private requestWords(): void {
    const wait = this.words.patience(this.host.now());
    if (wait === 0) this.requestFrame();
    else this.requestFrameAfter(wait);
  }

  /** Words are written through at most this often; 0: all of them in every animation frame. */
  setWordsInterval(intervalMs: number): void {
    if (this.words.setInterval(intervalMs) && !this.words.done) this.requestWords();
  }

  /** Nothing is still to be painted or written. */
  get idle(): boolean {
    return this.handle === null && this.words.done;
  }

  /** Resolves once nothing is still to be painted or written. */
  whenIdle(): Promise<void> {
    if (this.idle) return Promise.resolve();
    return new Promise((resolve) => {
      this.idleWaiters.push(resolve);
    });
  }

  /** Time an animation frame usually keeps the page busy, ms. */
  get cost(): number {
    return this.usualCost;
  }

  perf(): FramePerformance {
    return {
      busy: this.busy.percentiles(),
      frames: this.frames,
      work: this.work.percentiles(),
      phases: {
        read: this.phaseTimes.read.percentiles(),
        draw: this.phaseTimes.draw.percentiles(),
        words: this.phaseTimes.words.percentiles(),
        after: this.phaseTimes.after.percentiles(),
      },
      wait: this.wait.percentiles(),
      interval: this.interval.percentiles(),
    };
  }

  /** No painter runs any more. */
  stop(): void {
    this.stopped = true;
    if (this.handle !== null) this.host.cancelFrame(this.handle);
    this.handle = null;
    this.timer?.cancel();
    this.timer = null;
    this.words.clear();
    this.settleIdle();
  }

  private run(nowMs: number): void {
    this.handle = null;
    const hasPicture = this.pictureAsked;
    this.pictureAsked = false;
    const startMs = this.host.now();
    this.wait.push(startMs - this.askedAtMs);
    if (this.askedAtMs - this.previousMs < IN_TIME_MS) this.interval.push(startMs - this.previousMs);
    this.previousMs = startMs;
    let phaseStartMs = startMs;
    const paint = (painter: Painter): void => {
      try {
        painter(nowMs);
      } catch (error) {
        this.host.report(error);
      }
    };
    for (const phase of FRAME_PHASES) {
      if (phase === 'words') this.words.run(nowMs, hasPicture, this.host.now.bind(this.host), paint);
      else for (const painter of [...this.painters[phase]]) paint(painter);
      const endMs = this.host.now();
      this.phaseTimes[phase].push(endMs - phaseStartMs);
      phaseStartMs = endMs;
    }
    this.frames += 1;
    this.work.push(phaseStartMs - startMs);
    this.host.whenRendered(() => {
      const busyMs = this.host.now() - startMs;
      this.busy.push(busyMs);
      this.usualCost += NEWEST * (busyMs - this.usualCost);
    });
    if (hasPicture && this.words.isDue(nowMs)) this.requestFrame();
    else if (!this.words.done) this.requestWords();
    if (this.idle) this.settleIdle();
  }

  private settleIdle(): void {
    const waiters = this.idleWaiters;
    this.idleWaiters = [];
    for (const resolve of waiters) resolve();
  }
}

/** The last HISTORY durations. */
class Ring {
  private readonly values = new Float64Array(HISTORY);
  private count = 0;

  push(value: number): void {
    this.values[this.count % HISTORY] = value;
    this.count += 1;
  }

  percentiles(): Percentiles {
    const kept = this.values.slice(0, Math.min(this.count, HISTORY)).sort();
    const at = (share: number): number =>
      kept[Math.min(kept.length - 1, Math.floor(kept.length * share))] ?? 0;
    return { p50: at(0.5), p95: at(0.95), max: kept[kept.length - 1] ?? 0 };
  }
}

const browserHost: FrameHost = {
  requestFrame: (callback) => requestAnimationFrame(callback),
  cancelFrame: (handle) => {
    cancelAnimationFrame(handle);
  },
  now: () => performance.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return () => {
      clearTimeout(timer);
    };
  },
  // A task asked for within an animation frame begins after its rendering; of this priority, before all others that wait.
  whenRendered: (callback) => {
    if ('scheduler' in globalThis) void scheduler.postTask(callback, { priority: 'user-blocking' });
    // Not every browser that watches from elsewhere has priorities; there the figures are of a little more than the frame.
    else setTimeout(callback, 0);
  },
  report: (error) => {
    reportError(error);
  },
};
