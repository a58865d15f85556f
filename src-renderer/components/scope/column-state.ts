import type { FrameView } from '../../frames/frame-store';
import { formatCount } from '../../scene/numbers';
import type { KernelKind } from './scope-model';

/**
 * The step of a column's pictures; inside a step the weights are those `before step`. Where no layer has a fresh
 * picture: `old`, `cleared`, `not yet`.
 */
export function columnState(view: FrameView, kind: KernelKind, names: readonly string[]): string {
  const states = names.flatMap((name) => view.slot(name, kind)?.state ?? []);
  const fresh = states.filter(({ freshness }) => freshness === 'fresh');
  const insideStep = view.phase !== null && view.phase !== 'step';
  if (fresh.length > 0) {
    if (kind === 'weight' && insideStep) return 'before step';
    return formatCount(Math.max(...fresh.map(({ step }) => step)));
  }
  if (states.some(({ freshness }) => freshness === 'old')) return 'old';
  if (states.some(({ freshness }) => freshness === 'cleared')) return 'cleared';
  return 'not yet';
}
