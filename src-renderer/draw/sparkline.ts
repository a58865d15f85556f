import { CHART_LINE } from './line-width';

/** The part of a canvas context that lines need. */
export type LineContext = Pick<
  CanvasRenderingContext2D,
  | 'strokeStyle'
  | 'fillStyle'
  | 'lineWidth'
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
  /** Where each point lies, 0 the left edge and 1 the right one; left out: at equal distances. */
  readonly places?: ArrayLike<number>;
  /** A point that is pointed at, marked by a line from top to bottom. */
  readonly mark?: { readonly index: number; readonly colour: string };
}

const END_RADIUS = 1.8;
/** Where the last point lies: its dot needs room. */
export const sparklineRight = (width: number): number => width - END_RADIUS - 0.5;

/** A line through the points from edge to edge, with a dot at its end. NaN parts the line. */
export function paintSparkline(context: LineContext, points: Float64Array, style: SparklineStyle): void {
  const { width, height, colour, log, dash, places, mark } = style;
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
  const right = sparklineRight(width);
  const placeOf = (index: number): number =>
    places === undefined ? (scaled.length < 2 ? 1 : index / (scaled.length - 1)) : (places[index] ?? 1);
  const x = (index: number): number => 0.5 + placeOf(index) * (right - 0.5);
  const y = (value: number): number => height - 2 - ((value - low) / (high - low || 1)) * (height - 4);
  context.strokeStyle = colour;
  context.lineWidth = CHART_LINE;
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
  if (mark === undefined) return;
  const value = scaled[mark.index] ?? Number.NaN;
  context.strokeStyle = mark.colour;
  context.fillStyle = mark.colour;
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(x(mark.index), 0);
  context.lineTo(x(mark.index), height);
  context.stroke();
  if (!Number.isFinite(value)) return;
  context.beginPath();
  context.arc(x(mark.index), y(value), END_RADIUS + 0.4, 0, 2 * Math.PI);
  context.fill();
}
