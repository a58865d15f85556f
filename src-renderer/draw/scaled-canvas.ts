/** A canvas for lines and text, empty: as many pixels as the screen has, drawn on in CSS pixels. */
export function scaledContext(
  canvas: HTMLCanvasElement,
  width: number,
  height: number,
  pixelRatio: number,
): CanvasRenderingContext2D {
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('This browser has no 2D canvas.');
  const across = Math.max(1, Math.round(width * pixelRatio));
  const down = Math.max(1, Math.round(height * pixelRatio));
  if (canvas.width === across && canvas.height === down) context.reset();
  else {
    // Sized anew only when it must be: that gives it other memory, and has the page laid out.
    canvas.width = across;
    canvas.height = down;
    canvas.style.width = `${String(width)}px`;
    canvas.style.height = `${String(height)}px`;
  }
  context.scale(pixelRatio, pixelRatio);
  return context;
}
