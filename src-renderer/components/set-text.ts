/** Touches the document only when the text is another. */
export function setText(element: Element | null, text: string): void {
  if (element !== null && element.textContent !== text) element.textContent = text;
}

/** Sets or removes a data attribute, only when it is another. */
export function setData(element: HTMLElement | null, name: string, value: string | null): void {
  if (element === null || (element.dataset[name] ?? null) === value) return;
  if (value === null) Reflect.deleteProperty(element.dataset, name);
  else element.dataset[name] = value;
}
