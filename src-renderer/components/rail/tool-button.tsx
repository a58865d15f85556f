import type { ReactElement, ReactNode } from 'react';
import { type keyHint } from '../keymap';
import { Tip } from '../tip';

/** A button of a rail: its tip says what it does, and by which key. */
export function ToolButton({
  label,
  hint,
  back = false,
  onPress,
  children,
}: {
  label: string;
  hint: ReturnType<typeof keyHint>;
  /** The narrow one that goes back. */
  back?: boolean;
  onPress: () => unknown;
  children: ReactNode;
}): ReactElement {
  return (
    <Tip text={label} hint={hint}>
      <button
        type="button"
        className={back ? 'tool back' : 'tool'}
        aria-label={label}
        onClick={() => void onPress()}
      >
        {children}
      </button>
    </Tip>
  );
}
