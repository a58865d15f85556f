import { useEffect, useRef, type HTMLAttributes, type ReactElement } from 'react';
import type { FramePhase } from '../draw/frame-loop';
import { usePage } from './page-context';
import { setText } from './set-text';

type Paint = (nowMs: number) => void;

/** Runs in the draw phase of each animation frame. */
export function usePainter(paint: Paint): void {
  useFramePhase('draw', paint);
}

/** For what is read or costs layout: runs in the words phase, a few times a second while training runs free. */
export function useWords(write: Paint): void {
  useFramePhase('words', write);
}

function useFramePhase(phase: FramePhase, paint: Paint): void {
  const { loop } = usePage();
  const current = useRef(paint);
  useEffect(() => {
    current.current = paint;
    if (phase === 'words') loop.invalidateWords();
    else loop.invalidate();
  });
  useEffect(
    () =>
      loop.addPainter(phase, (nowMs) => {
        current.current(nowMs);
      }),
    [loop, phase],
  );
}

/** Text that follows the pictures, not React: `read` is called whenever words are written and must be cheap. */
export function LiveText({
  read,
  ...rest
}: HTMLAttributes<HTMLElement> & { read: () => string }): ReactElement {
  const element = useRef<HTMLElement>(null);
  useWords(() => {
    setText(element.current, read());
  });
  return <span {...rest} ref={element} />;
}
