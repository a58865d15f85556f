import type { ReactElement } from 'react';

/** The key of a control, beside its words. Seen only: neither the control's name nor its text has it. */
export const KeyHint = ({ hint }: { hint: string }): ReactElement => (
  <kbd className="key-hint" data-hint={hint} aria-hidden="true" />
);
