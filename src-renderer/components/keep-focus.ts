import type { MouseEvent } from 'react';

/** For onMouseDown: a click leaves the focus where it was, so Space goes on meaning play or pause. */
export const keepFocus = (event: MouseEvent): void => {
  event.preventDefault();
};
