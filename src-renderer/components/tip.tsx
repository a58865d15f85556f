import { Tooltip } from 'radix-ui';
import type { ReactElement } from 'react';

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
      <Tooltip.Trigger asChild>{children}</Tooltip.Trigger>
      <Tooltip.Portal>
        <Tooltip.Content className="tip" side={side} sideOffset={6} collisionPadding={6}>
          {text}
          {hint !== undefined && <kbd>{hint}</kbd>}
        </Tooltip.Content>
      </Tooltip.Portal>
    </Tooltip.Root>
  );
}
