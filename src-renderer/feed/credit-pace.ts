const LONGEST_MS = 100;

export interface PaceHost {
  /** ms of a clock that only goes forward */
  now(): number;
  after(delayMs: number, callback: () => void): void;
}

/**
 * When the credit of a drawn picture goes back: at once where drawing is cheap, later where it would fill the page's time
 * or, on a machine with few cores, take it from training. A picture that is on its way is never held back, so that what
 * is seen is fresh; the next one is asked for later.
 */
export class CreditPace {
  private readonly host: PaceHost;
  private readonly costMs: () => number;
  private readonly mostShare: number;
  private lastMs = Number.NEGATIVE_INFINITY;
  private waiting: (() => void)[] = [];
  private isFree = true;

  /**
   * @param costMs time that a picture usually keeps the page busy, ms
   * @param cores of this machine. The browser's other threads work about as long on a picture as the page itself, so on
   * two cores the page may be busy a sixth of the time, and from four cores on half of it.
   */
  constructor(host: PaceHost, costMs: () => number, cores: number) {
    this.host = host;
    this.costMs = costMs;
    this.mostShare = Math.min(1 / 2, Math.max(1, cores - 1) / 6);
  }

  /** Whether training runs by itself; otherwise somebody waits for each picture, and credits go back at once. */
  setRunning(running: boolean): void {
    this.isFree = running;
    if (!running) while (this.waiting.length > 0) this.giveBack();
  }

  drawn(returnCredit: () => void): void {
    this.waiting.push(returnCredit);
    const due = this.lastMs + Math.min(LONGEST_MS, this.costMs() / this.mostShare);
    const wait = due - this.host.now();
    if (!this.isFree || wait <= 0) {
      this.giveBack();
      return;
    }
    this.lastMs = due;
    this.host.after(wait, () => {
      this.waiting.shift()?.();
    });
  }

  private giveBack(): void {
    this.lastMs = this.host.now();
    this.waiting.shift()?.();
  }
}
