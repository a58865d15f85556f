import type { Status } from '../../src-shared/protocol/messages';

/** What the words are about, of the frame store. */
interface Frames {
  inWords(): { readonly step: number } | null;
}

/**
 * The step that words, figures and the chart are of. While training runs it is that of the picture which the words are about,
 * so that all of them are of one step; standing still, the status has the last word.
 */
export function shownStep(status: Status, frames: Frames): number {
  return status.state === 'running' ? (frames.inWords()?.step ?? status.step) : status.step;
}

/** Epoch that a step is in, counted from 1, as the status counts. */
export function shownEpoch(status: Status, step: number): number {
  const { epoch, epochs, stepInEpoch, stepsPerEpoch } = status;
  if (status.state !== 'running' || step === status.step) return epoch;
  // The epoch of the status began after so many steps.
  const began = status.step - stepInEpoch;
  const ahead = Math.ceil((step - began) / stepsPerEpoch) - 1;
  return Math.min(epochs, Math.max(1, epoch + ahead));
}
