import type { Mode } from '../../src-shared/model/run-config';
import type { Status } from '../../src-shared/protocol/messages';

/** Enough for hours of stops; the oldest are forgotten. */
const MOST_KEPT = 4096;

interface Witness {
  readonly runId: number;
  readonly mode: Mode;
  readonly sha256: string;
}

/**
 * Remembers which weights every run of this process had at which step, so that two runs with the same config can be seen
 * to agree, bit for bit, whichever loop trained them.
 */
export class ProofBook {
  private readonly witnesses = new Map<string, Witness[]>();

  /**
   * Notes the weights of a run and compares them with another run's.
   * @param config everything but the loop that decides the weights of a run, as text
   * @returns null when no other run, nor this one in the other loop, was seen at that step
   */
  compare(config: string, step: number, witness: Witness): Status['proof'] {
    const key = `${String(step)} ${config}`;
    const seen = this.witnesses.get(key) ?? [];
    if (!seen.some(({ runId, mode }) => runId === witness.runId && mode === witness.mode)) {
      this.witnesses.set(key, [...seen, witness]);
      const oldest = this.witnesses.keys().next();
      if (this.witnesses.size > MOST_KEPT && oldest.done !== true) this.witnesses.delete(oldest.value);
    }
    const others = seen.filter(({ runId }) => runId !== witness.runId);
    const other = others.findLast(({ mode }) => mode !== witness.mode) ?? others.at(-1);
    return other === undefined ? null : { mode: other.mode, step, same: other.sha256 === witness.sha256 };
  }
}
