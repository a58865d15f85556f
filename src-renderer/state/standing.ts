import type { Status } from '../../src-shared/protocol/messages';
import type { AppState } from './store';

/** Examples in the minibatch inside whose step training stands; null when it stands nowhere inside one. */
export function examplesUnderWay(status: Status | null): number | null {
  if (status === null || status.state === 'running' || status.minibatch === null) return null;
  return status.minibatch.step > status.step ? status.minibatch.indices.length : null;
}

/** A layer at which training stands, and which way it was gone through. */
export interface Standing {
  readonly direction: 'forward' | 'backward';
  /** Place in the network, counted from 0. */
  readonly index: number;
}

export function standingLayer({ status, plan }: Pick<AppState, 'status' | 'plan'>): Standing | null {
  if (status === null || plan === null || status.layer === null) return null;
  const index = plan.layers.findIndex(({ spec }) => spec.name === status.layer);
  if (index < 0 || (status.phase !== 'forward' && status.phase !== 'backward')) return null;
  return { direction: status.phase, index };
}
