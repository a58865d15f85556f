/** The part of a canvas context that lines need. */
export type LineContext = Pick<
  CanvasRenderingContext2D,
  | 'strokeStyle'
  | 'fillStyle'
  | 'lineWidth'
  | 'lineJoin'
  | 'setLineDash'
  | 'beginPath'
  | 'moveTo'
  | 'lineTo'
  | 'stroke'
  | 'arc'
  | 'fill'
  | 'clearRect'
>;

export interface SparklineStyle {
  /** CSS pixels; the context is scaled to them. */
  readonly width: number;
  readonly height: number;
  readonly colour: string;
  /** Logarithmic; values that have no logarithm are left out. */
  readonly log: boolean;
  readonly dash: readonly number[];
}

const END_RADIUS = 1.8;

/** A line through the points from edge to edge, with a dot at its end. NaN parts the line. */
export function paintSparkline(context: LineContext, points: Float64Array, style: SparklineStyle): void {
  const { width, height, colour, log, dash } = style;
  context.clearRect(0, 0, width, height);
  const scaled = log ? points.map((value) => (value > 0 ? Math.log(value) : Number.NaN)) : points;
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of scaled) {
    if (!Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (high < low) return;
  const right = width - END_RADIUS - 0.5;
  const x = (index: number): number =>
    scaled.length < 2 ? right : 0.5 + (index / (scaled.length - 1)) * (right - 0.5);
  const y = (value: number): number => height - 2 - ((value - low) / (high - low || 1)) * (height - 4);
  context.strokeStyle = colour;
  context.lineWidth = 1.2;
  context.lineJoin = 'round';
  context.setLineDash([...dash]);
  context.beginPath();
  let open = false;
  let endX = 0;
  let endY = 0;
  scaled.forEach((value, index) => {
    if (!Number.isFinite(value)) {
      open = false;
      return;
    }
    endX = x(index);
    endY = y(value);
    if (open) context.lineTo(endX, endY);
    else context.moveTo(endX, endY);
    open = true;
  });
  context.stroke();
  context.setLineDash([]);
  context.fillStyle = colour;
  context.beginPath();
  context.arc(endX, endY, END_RADIUS, 0, 2 * Math.PI);
  context.fill();
}
