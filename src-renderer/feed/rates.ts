const WINDOW_MS = 1000;

/** What the page measures of its own pictures. Times are of the page's clock. */
export class RateMeter {
  private drawnAtMs: number[] = [];
  private ageMs: number | null = null;
  private appliedAtMs = 0;
  private skippedSoFar = 0;

  reset(): void {
    this.drawnAtMs = [];
    this.ageMs = null;
    this.skippedSoFar = 0;
  }

  skipped(count: number): void {
    this.skippedSoFar += count;
  }

  /** A picture of values computed at `appliedAtMs` is on the screen. */
  drawn(appliedAtMs: number, nowMs: number): void {
    this.drawnAtMs.push(nowMs);
    this.appliedAtMs = appliedAtMs;
    this.ageMs = Math.max(0, nowMs - appliedAtMs);
  }

  /**
   * @param behind the trainer is known to be further than the picture: then the picture ages while it stays.
   */
  read(
    nowMs: number,
    behind: boolean,
  ): { framesPerSecond: number; pictureAgeMs: number | null; skipped: number } {
    this.drawnAtMs = this.drawnAtMs.filter((atMs) => nowMs - atMs < WINDOW_MS);
    const ageMs = this.ageMs !== null && behind ? Math.max(this.ageMs, nowMs - this.appliedAtMs) : this.ageMs;
    return {
      framesPerSecond: this.drawnAtMs.length,
      pictureAgeMs: ageMs === null ? null : Math.round(ageMs),
      skipped: this.skippedSoFar,
    };
  }
}
