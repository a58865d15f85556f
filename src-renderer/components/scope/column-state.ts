import type { FrameView } from '../../frames/frame-store';
import { formatCount } from '../../scene/numbers';
import { isKernelKind, type KernelKind, type MapKind } from './scope-model';

/**
 * The step of a column's pictures; inside a step the weights are those `before step`. Where no layer has a fresh
 * picture: `old`, `cleared`, `not yet`.
 */
export function columnState(view: FrameView, kind: KernelKind | MapKind, names: readonly string[]): string {
  const states = names.flatMap((name) => view.slot(name, kind)?.state ?? []);
  const fresh = states.filter(({ freshness }) => freshness === 'fresh');
  const insideStep = view.phase !== null && view.phase !== 'step';
  if (fresh.length > 0) {
    if (kind === 'weight' && insideStep) return 'before step';
    return formatCount(Math.max(...fresh.map(({ step }) => step)));
  }
  const old = states.filter(({ freshness }) => freshness === 'old');
  // The digit's maps have no step of their own to go stale in: theirs is said as it is.
  if (old.length > 0)
    return isKernelKind(kind) ? 'old' : formatCount(Math.max(...old.map(({ step }) => step)));
  if (states.some(({ freshness }) => freshness === 'cleared')) return 'cleared';
  return 'not yet';
}
