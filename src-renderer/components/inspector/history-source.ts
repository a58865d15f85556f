import { GradscopeError } from '../../../src-shared/protocol/errors';
import { ratioOf } from '../../scene/health';
import type { RequestClient } from '../../state/request-client';
import type { Selection } from '../../state/store';

/** One value a sample in each array. NaN where there is none. */
export interface KernelSeries {
  readonly steps: Float32Array;
  /** L2 norms. */
  readonly weightNorms: Float32Array;
  readonly gradientNorms: Float32Array;
  readonly updateNorms: Float32Array;
  /** |dW|/|W| of the same step. */
  readonly ratios: Float32Array;
  /** 0..1 */
  readonly activeShares: Float32Array;
  /** The ReLU after which outputs were counted; null: none follows. */
  readonly activeAfter: string | null;
}

/** While training runs, a history is asked for at most this often. */
const RUNNING_INTERVAL_MS = 1000;
const COLUMNS = 5;

export interface HistoryWish {
  readonly runId: number;
  readonly selection: Selection;
  /** Finished steps. */
  readonly step: number;
  /** Changes of weights otherwise than by training so far: each makes another history. */
  readonly replacements?: number;
  readonly running: boolean;
  readonly nowMs: number;
}

/**
 * The history of the chosen kernel as the trainer keeps it, asked for when a kernel is chosen and then as long as somebody
 * looks at it: at each step that stands, and at a slow pace while training runs.
 */
export class HistorySource {
  private readonly send: RequestClient;
  private readonly changed: () => void;
  private key = '';
  private askedStep = -1;
  private askedReplacements = 0;
  private askedAtMs = Number.NEGATIVE_INFINITY;
  private underWay = false;
  private found: KernelSeries | null = null;
  private refusal: string | null = null;

  /** @param changed called when there is something new to show */
  constructor(send: RequestClient, changed: () => void) {
    this.send = send;
    this.changed = changed;
  }

  /** Of the kernel that was wished for last; null until it is known. */
  get series(): KernelSeries | null {
    return this.found;
  }

  /** Why there is no history, in one sentence. */
  get failure(): string | null {
    return this.refusal;
  }

  /** Says what is looked at, whenever it is drawn. */
  wish({ runId, selection, step, replacements = 0, running, nowMs }: HistoryWish): void {
    const { layer, filter, input } = selection;
    const key = [runId, layer, filter, input].join();
    if (key !== this.key) {
      this.key = key;
      this.askedStep = -1;
      this.askedAtMs = Number.NEGATIVE_INFINITY;
      this.found = null;
      this.refusal = null;
    }
    if (replacements !== this.askedReplacements) this.askedStep = -1;
    if (this.underWay || step === this.askedStep || this.refusal !== null) return;
    if (running && nowMs - this.askedAtMs < RUNNING_INTERVAL_MS) return;
    this.askedStep = step;
    this.askedReplacements = replacements;
    this.askedAtMs = nowMs;
    void this.ask(key, { layer, filter, input });
  }

  private async ask(key: string, place: Pick<Selection, 'layer' | 'filter' | 'input'>): Promise<void> {
    this.underWay = true;
    try {
      const { result, payload } = await this.send.request('kernelHistory', place);
      if (key === this.key) this.found = seriesOf(payload, result.count, result.activeAfter);
    } catch (error) {
      if (key === this.key) this.refusal = error instanceof Error ? error.message : String(error);
    } finally {
      this.underWay = false;
      this.changed();
    }
  }
}

function seriesOf(payload: Uint8Array, count: number, activeAfter: string | null): KernelSeries {
  if (payload.byteLength !== COLUMNS * count * Float32Array.BYTES_PER_ELEMENT) {
    const expected = String(COLUMNS * count);
    throw new GradscopeError(
      'malformed-message',
      `A history of ${String(count)} steps should have ${expected} values, but it has ${String(payload.byteLength / 4)}.`,
    );
  }
  const values = new Float32Array(payload.slice().buffer);
  const column = (index: number): Float32Array => values.subarray(index * count, (index + 1) * count);
  const weightNorms = column(1);
  const updateNorms = column(3);
  return {
    steps: column(0),
    weightNorms,
    gradientNorms: column(2),
    updateNorms,
    ratios: updateNorms.map((norm, index) => ratioOf(norm, weightNorms[index]) ?? Number.NaN),
    activeShares: column(4),
    activeAfter,
  };
}
