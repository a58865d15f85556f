/** Pictures kept. */
const CAPACITY = 2048;

/**
 * Norms of one kernel over the pictures that were seen since it was chosen. Older ones make room by keeping every
 * second, so that the whole time since then stays in view.
 */
export class KernelHistory {
  private readonly weightNorms = new Float32Array(CAPACITY);
  private readonly gradientNorms = new Float32Array(CAPACITY);
  private count = 0;
  private stride = 1;
  private sinceKept = 0;
  private lastStep = -1;
  private from: number | null = null;

  /** Step of the first picture seen; null before it. */
  get firstStep(): number | null {
    return this.from;
  }

  get weights(): Float32Array {
    return this.weightNorms.subarray(0, this.count);
  }

  get gradients(): Float32Array {
    return this.gradientNorms.subarray(0, this.count);
  }

  /** Adds a picture; one of a step that was seen already adds nothing, one of an earlier step starts over. */
  see(step: number, weightNorm: number, gradientNorm: number): void {
    if (step === this.lastStep) return;
    if (step < this.lastStep) this.clear();
    this.lastStep = step;
    this.from ??= step;
    this.sinceKept += 1;
    if (this.sinceKept < this.stride) return;
    this.sinceKept = 0;
    if (this.count === CAPACITY) this.thin();
    this.weightNorms[this.count] = weightNorm;
    this.gradientNorms[this.count] = gradientNorm;
    this.count += 1;
  }

  clear(): void {
    this.count = 0;
    this.stride = 1;
    this.sinceKept = 0;
    this.lastStep = -1;
    this.from = null;
  }

  private thin(): void {
    for (let index = 0; index < CAPACITY / 2; index += 1) {
      this.weightNorms[index] = this.weightNorms[2 * index] ?? 0;
      this.gradientNorms[index] = this.gradientNorms[2 * index] ?? 0;
    }
    this.count = CAPACITY / 2;
    this.stride *= 2;
  }
}
