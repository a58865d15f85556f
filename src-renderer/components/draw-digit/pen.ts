/** Side of the drawing surface in pixels. */
export const SURFACE = 280;
/** As thick as the strokes of MNIST when a digit fills most of the surface. */
const PEN = 22;

/** A place on the surface and the share of its usual width that the pen has there. */
export interface PenPoint {
  readonly x: number;
  readonly y: number;
  readonly width: number;
}
export type Stroke = readonly PenPoint[];

/** Draws the strokes in one colour on transparent ground, so that a pixel's opacity is its ink. */
export function paintStrokes(
  context: CanvasRenderingContext2D,
  strokes: readonly Stroke[],
  colour: string,
): void {
  context.clearRect(0, 0, SURFACE, SURFACE);
  context.strokeStyle = colour;
  context.fillStyle = colour;
  context.lineCap = 'round';
  for (const stroke of strokes) {
    // A line to where it begins leaves nothing on a canvas.
    const [first] = stroke;
    if (first !== undefined) {
      context.beginPath();
      context.arc(first.x, first.y, (PEN * first.width) / 2, 0, 2 * Math.PI);
      context.fill();
    }
    stroke.forEach(({ x, y, width }, at) => {
      const from = stroke[at - 1] ?? { x, y };
      context.beginPath();
      context.lineWidth = PEN * width;
      context.moveTo(from.x, from.y);
      context.lineTo(x, y);
      context.stroke();
    });
  }
}

/** Ink of every pixel, 0 to 255, row-major. */
export function inkOf(context: CanvasRenderingContext2D): Uint8Array {
  const { data } = context.getImageData(0, 0, SURFACE, SURFACE);
  return Uint8Array.from({ length: SURFACE * SURFACE }, (_, at) => data[at * 4 + 3] ?? 0);
}

/** A pen that knows no pressure says 0.5 while it is down; so does a mouse. */
export const widthOf = (pressure: number, pointerType: string): number =>
  pointerType === 'pen' && pressure > 0 ? 0.5 + pressure : 1;
