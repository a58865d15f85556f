import { useEffect, useRef, type HTMLAttributes, type ReactElement } from 'react';
import type { FramePhase } from '../draw/frame-loop';
import { usePage } from './page-context';
import { setText } from './set-text';

type Paint = (nowMs: number) => void;

/** Runs in the draw phase of each animation frame. */
export function usePainter(paint: Paint): void {
  useFramePhase('draw', paint);
}

/** Words that are always written together: the step that is shown and all that is of it; the chosen kernel. */
export type WordGroup = 'step' | 'kernel' | 'histories' | 'digit';

/**
 * For what is read or costs layout: runs in the words phase, a few times a second while training runs free. What it says of
 * a picture is to be of `frames.inWords()`.
 */
export function useWords(write: Paint, group?: WordGroup): void {
  useFramePhase('words', write, group);
}

function useFramePhase(phase: FramePhase, paint: Paint, group?: WordGroup): void {
  const { loop } = usePage();
  const current = useRef(paint);
  useEffect(() => {
    current.current = paint;
    if (phase === 'words') loop.invalidateWords();
    else loop.invalidate();
  });
  useEffect(
    () =>
      loop.addPainter(
        phase,
        (nowMs) => {
          current.current(nowMs);
        },
        group,
      ),
    [loop, phase, group],
  );
}

/** Text that follows the pictures, not React: `read` is called whenever words are written and must be cheap. */
export function LiveText({
  read,
  group,
  ...rest
}: HTMLAttributes<HTMLElement> & { read: () => string; group?: WordGroup }): ReactElement {
  const element = useRef<HTMLElement>(null);
  useWords(() => {
    setText(element.current, read());
  }, group);
  return <span {...rest} ref={element} />;
}
