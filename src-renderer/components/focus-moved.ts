/** Keys that close or press something: what gets the focus after them was not gone to. */
const CLOSING = new Set(['Escape', 'Enter', ' ']);

let keyDown: string | null = null;

/** Follows which key is down. Call once a page. */
export function watchKeys(page: Pick<Window, 'addEventListener'>): void {
  page.addEventListener(
    'keydown',
    ({ key }) => {
      keyDown = key;
    },
    { capture: true },
  );
  for (const end of ['keyup', 'pointerdown', 'blur'] as const) {
    page.addEventListener(
      end,
      () => {
        keyDown = null;
      },
      { capture: true },
    );
  }
}

/** Whether somebody has just gone to what has the focus with a key: Tab, an arrow, or a key that leads there. */
export const isFocusMoved = (): boolean => keyDown !== null && !CLOSING.has(keyDown);
