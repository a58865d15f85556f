import { useEffect } from 'react';
import type { NetworkRow } from '../../scene/network-rows';
import { useApp } from '../../state/store';
import { usePage } from '../page-context';
import { scopeModelOf } from './scope-model';
import { takeOrders } from './take-orders';

/** Takes the orders that a person asks for from the picture on the screen. They hold still until they are asked for again. */
export function useOrders(rows: readonly NetworkRow[]): void {
  const parts = usePage();
  const sorting = useApp(({ view }) => view.sorting);
  useEffect(() => {
    const model = scopeModelOf(parts);
    const layers = rows.filter((row) => row.kind === 'layer');
    takeOrders(layers, model.refresh(), model.snapshots);
  }, [parts, rows, sorting]);
}
