import { useRef } from 'react';
import { appStore } from '../../state/store';
import { usePainter } from '../live';
import { usePage } from '../page-context';

/** Figures change at most this often: a person cannot read faster, and text costs layout. */
const TEXT_INTERVAL_MS = 125;
/** The same for whole tables of figures. */
export const TABLE_INTERVAL_MS = 250;

/**
 * Like usePainter, but while training runs at most eight times a second; the last change is never left out. Standing,
 * figures change with their picture.
 */
export function useTextPainter(paint: () => void, intervalMs = TEXT_INTERVAL_MS): void {
  const { loop } = usePage();
  const lastMs = useRef(Number.NEGATIVE_INFINITY);
  usePainter((nowMs) => {
    const wait = lastMs.current + intervalMs - nowMs;
    if (wait > 0 && appStore.getState().status?.state === 'running') {
      loop.invalidateAfter(wait);
      return;
    }
    lastMs.current = nowMs;
    paint();
  });
}

/** Touches the document only when the text is another. */
export function setText(element: Element | null, text: string): void {
  if (element !== null && element.textContent !== text) element.textContent = text;
}

/** Sets or removes a data attribute, only when it is another. */
export function setData(element: HTMLElement | null, name: string, value: string | null): void {
  if (element === null || (element.dataset[name] ?? null) === value) return;
  if (value === null) Reflect.deleteProperty(element.dataset, name);
  else element.dataset[name] = value;
}
