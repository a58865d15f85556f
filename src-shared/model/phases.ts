/** The five phases of one training step, in order. */
export const PHASES = ['zeroGrad', 'forward', 'loss', 'backward', 'step'] as const;
export type Phase = (typeof PHASES)[number];

/**
 * A place at which training can stand: just after `phase` was finished (layer null), or inside forward or backward
 * just after the layer with that index.
 */
export interface Position {
  readonly phase: Phase;
  readonly layer: number | null;
}
