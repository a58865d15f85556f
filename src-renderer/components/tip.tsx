import { Tooltip } from 'radix-ui';
import type { ReactElement } from 'react';
import { isFocusMoved } from './focus-moved';

export const TipProvider = Tooltip.Provider;

/** A word about a control, on hover and on keyboard focus, with its key. */
export function Tip({
  text,
  hint,
  side = 'bottom',
  children,
}: {
  text: string;
  hint?: string;
  side?: 'bottom' | 'left' | 'right';
  children: ReactElement;
}): ReactElement {
  return (
    <Tooltip.Root>
      <Tooltip.Trigger
        asChild
        onFocus={(event) => {
          // The focus that a dialog gives back when it closes asks for nothing, and nobody would take the tip away again.
          if (!isFocusMoved()) event.preventDefault();
        }}
      >
        {children}
      </Tooltip.Trigger>
      <Tooltip.Portal>
        <Tooltip.Content className="tip" side={side} sideOffset={6} collisionPadding={6}>
          {text}
          {hint !== undefined && <kbd>{hint}</kbd>}
        </Tooltip.Content>
      </Tooltip.Portal>
    </Tooltip.Root>
  );
}
