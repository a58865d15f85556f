import { extent, line, scaleLinear, type ScaleLinear } from 'd3';
import { formatCount, formatEnds, formatSetting } from '../scene/numbers';
import { isLowestShown, parabolaAt, type StepEffect } from '../scene/step-effect';
import type { Tokens } from './tokens';

export interface ChartSize {
  /** CSS pixels. */
  readonly width: number;
  readonly height: number;
}

/** Room for half a number, and for a dot. */
const LEFT = 10;
const RIGHT = 10;
const ABOVE = 15;
/** Room for the axis and its name. */
const BELOW = 29;
const DOT = 3;
const CROSS = 3.5;
/** Characters. */
const TICK_WIDTH = 4;
/** Samples of the parabola. */
const SAMPLES = 64;

type Scale = ScaleLinear<number, number>;

/**
 * The loss of the minibatch along the step: what was measured, the slope before the step, the parabola, where the step
 * landed and where the parabola is lowest. Both axes are linear; the loss fills the height.
 */
export function paintStepChart(
  context: CanvasRenderingContext2D,
  effect: StepEffect,
  { width, height }: ChartSize,
  tokens: Tokens,
): void {
  context.clearRect(0, 0, width, height);
  const finite = effect.points.filter(({ loss }) => Number.isFinite(loss));
  const [first = 0, last = 1] = extent(effect.points, ({ share }) => share);
  const shown = isLowestShown(effect) ? effect.minimum : null;
  const losses = finite.map(({ loss }) => loss);
  if (shown !== null) losses.push(parabolaAt(effect, shown));
  const [low = 0, high = 1] = extent(losses);
  const bottom = height - BELOW;
  const x = scaleLinear([first, last], [LEFT, width - RIGHT]);
  // A loss that does not change is drawn in the middle.
  const y = scaleLinear(low === high ? [low - 1, high + 1] : [low, high], [bottom - 6, ABOVE + 4]);
  paintAxes(context, { x, y, width, bottom, low, high, examples: effect.examples }, tokens);
  if (finite.length === 0) return;
  context.save();
  context.beginPath();
  context.rect(0, ABOVE - 2, width, bottom - ABOVE + 2);
  context.clip();
  paintLines(context, effect, x, y, tokens);
  context.restore();
  if (shown !== null) paintCross(context, x(shown), y(parabolaAt(effect, shown)), tokens);
  for (const { share, loss } of finite) {
    if (share !== 1) paintDot(context, x(share), y(loss), tokens.ink, tokens.panel);
  }
  if (Number.isFinite(effect.after)) paintLanding(context, x(1), y(effect.after), tokens);
}

function paintAxes(
  context: CanvasRenderingContext2D,
  frame: { x: Scale; y: Scale; width: number; bottom: number; low: number; high: number; examples: number },
  tokens: Tokens,
): void {
  const { x, y, width, bottom, low, high, examples } = frame;
  context.lineWidth = 1;
  context.font = `500 9.5px ${tokens.font}`;
  context.textBaseline = 'top';
  context.textAlign = 'center';
  for (const tick of x.ticks(6)) {
    const at = Math.round(x(tick)) + 0.5;
    context.strokeStyle = tick === 0 ? tokens.line2 : tokens.line;
    context.beginPath();
    context.moveTo(at, ABOVE);
    context.lineTo(at, bottom);
    context.stroke();
    context.fillStyle = tokens.ink3;
    context.fillText(formatSetting(tick, TICK_WIDTH), at, bottom + 4);
  }
  context.strokeStyle = tokens.line2;
  context.beginPath();
  context.moveTo(0, bottom + 0.5);
  context.lineTo(width, bottom + 0.5);
  context.stroke();
  context.fillStyle = tokens.ink3;
  context.textAlign = 'right';
  context.fillText('share of the step', width - 2, bottom + 17);
  context.textAlign = 'left';
  const images = `${formatCount(examples)} ${examples === 1 ? 'image' : 'images'}`;
  context.fillText(`loss of the same ${images}, same dropout masks`, 0, 0);
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  if (low === high) return;
  const [lowest, highest] = formatEnds(low, high);
  context.fillText(highest, width - 2, y(high));
  context.textAlign = 'left';
  context.fillText(lowest, 2, y(low));
}

function paintLines(
  context: CanvasRenderingContext2D,
  effect: StepEffect,
  x: Scale,
  y: Scale,
  tokens: Tokens,
): void {
  const [first = 0, last = 1] = x.domain();
  const path = line<number>(
    (share) => x(share),
    (share) => y(parabolaAt(effect, share)),
  ).context(context);
  context.lineJoin = 'round';
  context.setLineDash([3, 3]);
  context.strokeStyle = tokens.ink3;
  context.lineWidth = 1;
  context.beginPath();
  for (const [index, share] of [first, last].entries()) {
    const at = y(effect.before + effect.slope * share);
    if (index === 0) context.moveTo(x(share), at);
    else context.lineTo(x(share), at);
  }
  context.stroke();
  context.setLineDash([]);
  if (!Number.isFinite(effect.curvature)) return;
  context.strokeStyle = tokens.ink2;
  context.lineWidth = 1.2;
  context.beginPath();
  path(Array.from({ length: SAMPLES + 1 }, (_, at) => first + ((last - first) * at) / SAMPLES));
  context.stroke();
}

/** With a rim, so that lines end before it. */
function paintDot(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  colour: string,
  rim: string,
  radius = DOT,
): void {
  for (const [size, fill] of [
    [radius + 1.5, rim],
    [radius, colour],
  ] as const) {
    context.fillStyle = fill;
    context.beginPath();
    context.arc(x, y, size, 0, 2 * Math.PI);
    context.fill();
  }
}

function paintLanding(context: CanvasRenderingContext2D, x: number, y: number, tokens: Tokens): void {
  paintDot(context, x, y, tokens.live, tokens.panel, DOT + 1.5);
  context.strokeStyle = tokens.liveText;
  context.lineWidth = 1;
  context.beginPath();
  context.arc(x, y, DOT + 1, 0, 2 * Math.PI);
  context.stroke();
}

function paintCross(context: CanvasRenderingContext2D, x: number, y: number, tokens: Tokens): void {
  context.strokeStyle = tokens.ink;
  context.lineWidth = 1.5;
  context.beginPath();
  context.moveTo(x - CROSS, y - CROSS);
  context.lineTo(x + CROSS, y + CROSS);
  context.moveTo(x - CROSS, y + CROSS);
  context.lineTo(x + CROSS, y - CROSS);
  context.stroke();
}
