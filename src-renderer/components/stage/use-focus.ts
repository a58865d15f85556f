import { useSyncExternalStore } from 'react';
import type { LayerPlan, NetworkPlan } from '../../../src-shared/model/network';
import { useApp } from '../../state/store';
import { usePage } from '../page-context';
import { focusOf, type Focus } from './focus';

/** The focus of the newest picture. It changes with a stop or a choice, never while training runs free. */
export function useFocus(plan: NetworkPlan, layer: LayerPlan, direction: 'forward' | 'backward'): Focus {
  const { frames } = usePage();
  const selection = useApp(({ view }) => view.selection);
  const find = (): Focus => focusOf(frames.newest(), plan, layer, direction, selection);
  useSyncExternalStore(
    (changed) => frames.subscribe(changed),
    () => {
      const { map, input } = find();
      return `${String(map)} ${String(input)}`;
    },
  );
  return find();
}
