/** A tick later than this counts as this much: the page itself did not run meanwhile, or the machine slept. */
const LONGEST_TICK_MS = 500;
/** Silence shorter than this is none: what is heard each second may be a little late. */
const LEAST_SECONDS = 2;

/**
 * How long the other side has been silent, in time in which this page ran. A page that was held up, hidden or asleep does
 * not take its own silence for the trainer's.
 */
export class SilenceMeter {
  private silentMs = 0;
  private tickedAtMs: number | null = null;

  /** Something came. */
  heard(): void {
    this.silentMs = 0;
  }

  /**
   * Called several times a second.
   * @param isAwaited whether something should come all the time; otherwise silence means nothing
   * @returns whole seconds of silence; 0 for what is none
   */
  tick(nowMs: number, isAwaited: boolean): number {
    const sinceMs = this.tickedAtMs === null ? 0 : nowMs - this.tickedAtMs;
    this.tickedAtMs = nowMs;
    this.silentMs = isAwaited ? this.silentMs + Math.max(0, Math.min(sinceMs, LONGEST_TICK_MS)) : 0;
    const seconds = Math.floor(this.silentMs / 1000);
    return seconds < LEAST_SECONDS ? 0 : seconds;
  }
}
