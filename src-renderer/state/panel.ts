import type { Status } from '../../src-shared/protocol/messages';
import { examplesUnderWay } from './standing';
import type { Panel } from './store';

/**
 * Which panel is looked at once training stands, or runs, as `next` says. It changes only where training enters or leaves
 * the inside of a step: in between, what a person chose stays.
 *
 * @param rest what to go back to when training runs on
 */
export function panelAfter(panel: Panel, rest: Panel, previous: Status | null, next: Status): Panel {
  const wasInside = examplesUnderWay(previous) !== null;
  const isInside = examplesUnderWay(next) !== null;
  if (!wasInside && isInside) return 'stage';
  if (panel !== 'stage' && panel !== 'step') return panel;
  const wasRunning = previous?.state === 'running';
  // A step to the end of the minibatch runs for one status at most; what runs longer was played.
  if (next.state === 'running') return wasRunning ? rest : panel;
  const hasStepped = wasRunning || (wasInside && next.step > (previous?.step ?? 0));
  return hasStepped && !isInside ? 'step' : panel;
}
