import { useEffect, useRef, type HTMLAttributes, type ReactElement } from 'react';
import { REDUCED_MOTION } from '../state/screen';
import { usePage } from './page-context';

/** Counters change at most this often where less motion is asked for. */
const CALM_MS = 250;

/** Runs in the draw phase of each animation frame. Returns what makes it run again soon. */
export function usePainter(paint: (nowMs: number) => void): void {
  const { loop } = usePage();
  const current = useRef(paint);
  useEffect(() => {
    current.current = paint;
    loop.invalidate();
  });
  useEffect(
    () =>
      loop.addPainter('draw', (nowMs) => {
        current.current(nowMs);
      }),
    [loop],
  );
}

/** Text that follows the animation frames, not React: `read` is called in each and must be cheap. */
export function LiveText({
  read,
  ...rest
}: HTMLAttributes<HTMLElement> & { read: () => string }): ReactElement {
  const { loop } = usePage();
  const element = useRef<HTMLElement>(null);
  const written = useRef({ text: '', atMs: -Infinity });
  usePainter((nowMs) => {
    const text = read();
    const { current } = element;
    if (current === null || text === written.current.text) return;
    const wait = written.current.atMs + CALM_MS - nowMs;
    if (wait > 0 && matchMedia(REDUCED_MOTION).matches) {
      loop.invalidateAfter(wait);
      return;
    }
    written.current = { text, atMs: nowMs };
    current.textContent = text;
  });
  return <span {...rest} ref={element} />;
}
