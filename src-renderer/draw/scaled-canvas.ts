/**
 * Longest side that canvases of all browsers have, device pixels; with both sides this long, a canvas has as many pixels
 * as the smallest limit on its area allows.
 */
const LONGEST_SIDE = 16_384;

/**
 * A canvas for lines and text, empty, drawn on in CSS pixels: as many pixels as the screen has, fewer where that is more than
 * a canvas may have.
 */
export function scaledContext(
  canvas: HTMLCanvasElement,
  width: number,
  height: number,
  pixelRatio: number,
): CanvasRenderingContext2D {
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('This browser has no 2D canvas.');
  const scale = Math.min(pixelRatio, LONGEST_SIDE / Math.max(1, width, height));
  const across = Math.max(1, Math.round(width * scale));
  const down = Math.max(1, Math.round(height * scale));
  if (canvas.width === across && canvas.height === down) context.reset();
  else {
    // Sized anew only when it must be: that gives it other memory, and has the page laid out.
    canvas.width = across;
    canvas.height = down;
    canvas.style.width = `${String(width)}px`;
    canvas.style.height = `${String(height)}px`;
  }
  context.scale(scale, scale);
  return context;
}
