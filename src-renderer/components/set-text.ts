/** Touches the document only when the text is another, and keeps the text node: a new one would be laid out from nothing. */
export function setText(element: Element | null, text: string): void {
  if (element === null || element.textContent === text) return;
  const only = element.childNodes.length === 1 ? element.firstChild : null;
  if (only instanceof Text) only.data = text;
  else element.textContent = text;
}

/** Shows or hides, only when that changes: to set `hidden` again would have its style computed again. */
export function setHidden(element: HTMLElement | null, hidden: boolean): void {
  if (element !== null && element.hidden !== hidden) element.hidden = hidden;
}

/** Sets or removes a data attribute, only when it is another. */
export function setData(element: HTMLElement | null, name: string, value: string | null): void {
  if (element === null || (element.dataset[name] ?? null) === value) return;
  if (value === null) Reflect.deleteProperty(element.dataset, name);
  else element.dataset[name] = value;
}

/**
 * Fills a bar, whose background image is its filling, from the left. To be painted is all that costs: another width would be
 * laid out, and another width or transform has the browser find anew what covers what on the whole page.
 * @param share 0..1
 */
export function setFilled(element: HTMLElement | null, share: number): void {
  if (element === null) return;
  // As the browser gives it back, which knows no 50.0%.
  const size = `${String(Math.round(share * 1000) / 10)}% 100%`;
  if (element.style.backgroundSize !== size) element.style.backgroundSize = size;
}
