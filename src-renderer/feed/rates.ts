const WINDOW_MS = 1000;
/** Pictures that `latency` is of. */
export const LATENCIES = 200;

/** What the page measures of its own pictures. Times are of the page's clock. */
export class RateMeter {
  /** Drawn since the page opened. */
  pictures = 0;
  private drawnAtMs: number[] = [];
  private ageMs: number | null = null;
  private latenciesMs: number[] = [];
  private behindSinceMs: number | null = null;
  private skippedSoFar = 0;

  reset(): void {
    this.drawnAtMs = [];
    this.ageMs = null;
    this.latenciesMs = [];
    this.behindSinceMs = null;
    this.skippedSoFar = 0;
  }

  skipped(count: number): void {
    this.skippedSoFar += count;
  }

  /** A picture of values computed at `appliedAtMs` is on the screen; null: of values that have been standing for a while. */
  drawn(appliedAtMs: number | null, nowMs: number): void {
    this.pictures += 1;
    this.drawnAtMs.push(nowMs);
    this.behindSinceMs = null;
    this.ageMs = appliedAtMs === null ? null : Math.max(0, nowMs - appliedAtMs);
    if (this.ageMs !== null && this.latenciesMs.push(this.ageMs) > LATENCIES) this.latenciesMs.shift();
  }

  /** From values being computed to their picture being on the screen, ms, over the last pictures; null: there are none. */
  latency(): { readonly p50: number; readonly p95: number; readonly max: number } | null {
    const sorted = this.latenciesMs.toSorted((a, b) => a - b);
    const at = (share: number): number =>
      sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    return sorted.length === 0 ? null : { p50: at(0.5), p95: at(0.95), max: at(1) };
  }

  /**
   * @param behind the trainer is, or may be, further than the picture: then the picture ages while it stays. A picture
   * that nothing newer has overtaken does not age, however slowly training goes.
   * @param sinceMs from when on it has been so, where that is known better than from the last reading
   */
  read(
    nowMs: number,
    behind: boolean,
    sinceMs = nowMs,
  ): { framesPerSecond: number; pictureAgeMs: number | null; skipped: number } {
    this.drawnAtMs = this.drawnAtMs.filter((atMs) => nowMs - atMs < WINDOW_MS);
    this.behindSinceMs = behind ? Math.min(this.behindSinceMs ?? nowMs, sinceMs) : null;
    const overdueMs = this.behindSinceMs === null ? 0 : nowMs - this.behindSinceMs;
    const ageMs = this.ageMs === null && overdueMs === 0 ? null : Math.max(this.ageMs ?? 0, overdueMs);
    return {
      framesPerSecond: this.drawnAtMs.length,
      pictureAgeMs: ageMs === null ? null : Math.round(ageMs),
      skipped: this.skippedSoFar,
    };
  }
}
