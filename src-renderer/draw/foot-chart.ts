import { scaleLinear, ticks } from 'd3';
import type { ColumnSeries } from '../scene/column-series';
import { formatCount } from '../scene/numbers';
import { CHART_LINE } from './line-width';
import type { Tokens } from './tokens';

/** A line over the steps of the run. */
export interface Trace {
  readonly series: ColumnSeries;
  readonly colour: string;
  readonly dash: readonly number[];
  /** Draws the range of each pixel column behind the line. */
  readonly range: boolean;
  /** Steps after which the line starts anew: what it averages begins again there. */
  readonly breaks: readonly number[];
}

/** Values measured now and then. */
export interface Dot {
  readonly step: number;
  readonly value: number;
}

export interface Lane {
  readonly top: number;
  readonly height: number;
  /** Value -> 0 (bottom) .. 1 (top), clamped. */
  readonly place: (value: number) => number;
  /** Ends of its scale. */
  readonly highest: string;
  readonly lowest: string;
  readonly traces: readonly Trace[];
  readonly dots: readonly Dot[];
  /** Least value that has a place of its own; dots below it are drawn hollow at the edge. */
  readonly floor: number;
  readonly shaded: boolean;
}

export interface FootChart {
  /** CSS pixels. */
  readonly width: number;
  /** Where the lanes end and the axis begins. */
  readonly axisTop: number;
  readonly lanes: readonly Lane[];
  /** Finished steps: where the playhead stands. */
  readonly step: number;
  /** Training is over, so the playhead stands at no moment of now. */
  readonly isOver: boolean;
  readonly lastStep: number;
  /** Steps at which epochs 2, 3, ... begin. */
  readonly epochStarts: readonly number[];
  readonly marks?: readonly Mark[];
}

/** Something that happened to the run beside its training. */
export interface Mark {
  /** After which, or in which, it happened. */
  readonly step: number;
  /** A NaN or an infinity was met. */
  readonly isNonFinite: boolean;
  readonly words: string;
}

/** Right of the last step: room for the ends of the scales. */
export const SCALE_ROOM = 40;
/** Whole CSS pixels from the first step of the axis to the last; none where the chart is narrower than its scale. */
export const plotWidth = (width: number): number => Math.max(0, Math.floor(width) - SCALE_ROOM);
/** Room above and below the values of a lane. */
const ABOVE = 4;
const BELOW = 3;
const DOT = 3;
/** Half the width of a mark, and its height. */
const MARK = 4;
/** Text on the axis needs this much room each side of its middle. */
const LABEL_ROOM = 38;
const EPOCH_ROOM = 44;

/** The run so far: lanes one below the other over one axis of steps, and a playhead at now. */
export function paintFootChart(context: CanvasRenderingContext2D, chart: FootChart, tokens: Tokens): void {
  const { width, axisTop, lanes, step, lastStep } = chart;
  const x = scaleLinear([0, Math.max(1, lastStep)], [0, plotWidth(width)]).clamp(true);
  context.clearRect(0, 0, width, axisTop + 24);
  for (const lane of lanes) {
    if (!lane.shaded) continue;
    context.fillStyle = tokens.sunk;
    context.fillRect(0, lane.top - 2, width, lane.height + 4);
  }
  shadeFuture(context, chart, x(step), tokens);
  paintGrid(context, chart, x, tokens);
  for (const lane of lanes) paintLane(context, lane, x, tokens);
  paintMarks(context, chart, x, tokens);
  paintAxis(context, chart, x, tokens);
  paintPlayhead(context, chart, x(step), tokens);
}

type StepScale = (step: number) => number;

function shadeFuture(
  context: CanvasRenderingContext2D,
  { width, axisTop }: FootChart,
  now: number,
  tokens: Tokens,
): void {
  context.globalAlpha = 0.05;
  context.fillStyle = tokens.ink3;
  context.fillRect(now, 0, width - now, axisTop);
  context.globalAlpha = 1;
}

function paintGrid(context: CanvasRenderingContext2D, chart: FootChart, x: StepScale, tokens: Tokens): void {
  const { width, axisTop, lanes, lastStep } = chart;
  const upright = (step: number, top: number): void => {
    const at = Math.round(x(step)) + 0.5;
    context.beginPath();
    context.moveTo(at, top);
    context.lineTo(at, axisTop);
    context.stroke();
  };
  context.lineWidth = 1;
  context.strokeStyle = tokens.line;
  const strong = new Set(ticks(0, lastStep, Math.max(2, width / 170)));
  for (const step of ticks(0, lastStep, Math.max(2, width / 34))) {
    context.globalAlpha = strong.has(step) ? 1 : 0.55;
    upright(step, 8);
  }
  context.globalAlpha = 1;
  for (const { top, height } of lanes) {
    context.beginPath();
    context.moveTo(0, top + height + 1.5);
    context.lineTo(width, top + height + 1.5);
    context.stroke();
  }
  context.strokeStyle = tokens.line2;
  context.setLineDash([2, 3]);
  for (const { step } of spacedEpochs(chart, x, 8)) upright(step, 4);
  context.setLineDash([]);
}

/** Beginnings of epochs, thinned so that two of them are at least `room` pixels apart. */
function spacedEpochs(chart: FootChart, x: StepScale, room: number): { step: number; epoch: number }[] {
  const spacing =
    chart.epochStarts.length < 2 ? Infinity : x(chart.epochStarts[1] ?? 0) - x(chart.epochStarts[0] ?? 0);
  const every = Number.isFinite(spacing) ? Math.max(1, Math.ceil(room / Math.max(spacing, 1e-6))) : 1;
  return chart.epochStarts
    .map((step, index) => ({ step, epoch: index + 2 }))
    .filter(({ epoch }) => (epoch - 2) % every === 0);
}

function paintLane(context: CanvasRenderingContext2D, lane: Lane, x: StepScale, tokens: Tokens): void {
  const y = (value: number): number =>
    lane.top + lane.height - BELOW - lane.place(value) * (lane.height - ABOVE - BELOW);
  for (const trace of lane.traces) {
    if (trace.range) paintRange(context, trace, y);
    paintLine(context, trace, x, y);
  }
  for (const { step, value } of lane.dots) {
    if (!Number.isFinite(value)) continue;
    const at = Math.max(DOT + 1, x(step));
    context.fillStyle = tokens.panel;
    circle(context, at, y(value), DOT + 1.6);
    context.fill();
    if (value < lane.floor) {
      context.strokeStyle = tokens.ink2;
      context.lineWidth = 1.2;
      circle(context, at, y(value), DOT - 0.6);
      context.stroke();
      continue;
    }
    context.fillStyle = tokens.ink;
    circle(context, at, y(value), DOT);
    context.fill();
  }
}

function paintRange(
  context: CanvasRenderingContext2D,
  { series, colour }: Trace,
  y: (value: number) => number,
): void {
  const { low, high, seen } = series;
  context.globalAlpha = 0.28;
  context.fillStyle = colour;
  let previous: { top: number; bottom: number } | null = null;
  for (let column = 0; column < seen.length; column += 1) {
    const lowest = low[column] ?? Infinity;
    const highest = high[column] ?? -Infinity;
    if (seen[column] === 0 || lowest > highest) continue;
    let top = y(highest);
    let bottom = y(lowest);
    const own = { top, bottom };
    // Neighbouring columns that do not overlap would leave holes in what is one line.
    if (previous !== null && previous.bottom < top) top = previous.bottom;
    if (previous !== null && previous.top > bottom) bottom = previous.top;
    previous = own;
    context.fillRect(column, top, 1, Math.max(1, bottom - top));
  }
  context.globalAlpha = 1;
}

function paintLine(
  context: CanvasRenderingContext2D,
  { series, colour, dash, breaks }: Trace,
  x: StepScale,
  y: (value: number) => number,
): void {
  const { smooth, seen, axis } = series;
  context.strokeStyle = colour;
  context.lineWidth = CHART_LINE;
  context.setLineDash([...dash]);
  const columnsOfBreaks = new Set(breaks.map((step) => Math.floor(x(step))));
  let isOpen = false;
  context.beginPath();
  for (let column = 0; column < axis.columns; column += 1) {
    if (seen[column] === 0) continue;
    const value = smooth[column] ?? Number.NaN;
    if (!Number.isFinite(value)) isOpen = false;
    else if (isOpen) context.lineTo(column + 0.5, y(value));
    else {
      context.moveTo(column + 0.5, y(value));
      isOpen = true;
    }
    if (columnsOfBreaks.has(column)) isOpen = false;
  }
  context.stroke();
  context.setLineDash([]);
}

/** A triangle at the upper edge that points at its step, and a line through all lanes. */
function paintMarks(context: CanvasRenderingContext2D, chart: FootChart, x: StepScale, tokens: Tokens): void {
  const { axisTop, marks = [] } = chart;
  if (marks.length === 0) return;
  context.lineWidth = 1;
  for (const { step, isNonFinite } of marks) {
    context.strokeStyle = isNonFinite ? tokens.nan : tokens.ink2;
    context.fillStyle = isNonFinite ? tokens.nan : tokens.ink;
    const at = Math.max(MARK, Math.round(x(step))) + 0.5;
    context.beginPath();
    context.moveTo(at, MARK);
    context.lineTo(at, axisTop);
    context.stroke();
    context.beginPath();
    context.moveTo(at - MARK, 0);
    context.lineTo(at + MARK, 0);
    context.lineTo(at, 1.5 * MARK);
    context.closePath();
    context.fill();
  }
}

/** The mark that is pointed at: the nearest within reach; -1: none. @param at CSS pixels from the left */
export function markAt({ width, lastStep, marks = [] }: FootChart, at: number): number {
  const perStep = (width - SCALE_ROOM) / Math.max(1, lastStep);
  let found = -1;
  let nearest = 2 * MARK;
  marks.forEach(({ step }, index) => {
    const distance = Math.abs(Math.max(MARK, step * perStep) - at);
    if (distance > nearest) return;
    nearest = distance;
    found = index;
  });
  return found;
}

function paintAxis(context: CanvasRenderingContext2D, chart: FootChart, x: StepScale, tokens: Tokens): void {
  const { width, axisTop, lanes, step, lastStep } = chart;
  context.fillStyle = tokens.ink3;
  context.font = `500 9.5px ${tokens.font}`;
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  for (const { top, height, highest, lowest } of lanes) {
    context.fillText(highest, width - 5, top + 6);
    context.fillText(lowest, width - 5, top + height - 6);
  }
  context.font = `500 10px ${tokens.font}`;
  context.textBaseline = 'top';
  const now = x(step);
  const epochs = spacedEpochs(chart, x, EPOCH_ROOM + LABEL_ROOM)
    .map(({ step: start, epoch }) => ({ at: x(start), epoch }))
    .filter(({ at }) => at > EPOCH_ROOM && Math.abs(at - now) > EPOCH_ROOM && at < width - SCALE_ROOM + 8);
  const taken = epochs.map(({ at }) => at);
  for (const tick of ticks(0, lastStep, Math.max(2, width / 85))) {
    const at = x(tick);
    const isFree =
      taken.every((other) => Math.abs(at - other) > EPOCH_ROOM + 10) && Math.abs(at - now) > LABEL_ROOM;
    if (!isFree || at > width - SCALE_ROOM + 8) continue;
    context.textAlign = tick === 0 ? 'left' : 'center';
    context.fillText(tick === 0 ? 'step 0' : formatCount(tick), at, axisTop + 4);
  }
  context.fillStyle = tokens.ink2;
  context.textAlign = 'center';
  for (const { at, epoch } of epochs) context.fillText(`epoch ${String(epoch)}`, at, axisTop + 4);
}

function paintPlayhead(
  context: CanvasRenderingContext2D,
  { width, axisTop, step, isOver }: FootChart,
  now: number,
  tokens: Tokens,
): void {
  const at = Math.round(now) + 0.5;
  context.strokeStyle = isOver ? tokens.ink3 : tokens.liveText;
  context.lineWidth = 1.5;
  context.beginPath();
  context.moveTo(at, 2);
  context.lineTo(at, axisTop);
  context.stroke();
  context.font = `640 10.5px ${tokens.font}`;
  const text = formatCount(step);
  const pill = context.measureText(text).width + 12;
  const left = Math.min(width - pill, Math.max(0, at - pill / 2));
  context.fillStyle = isOver ? tokens.ink3 : tokens.live;
  context.beginPath();
  context.roundRect(left, axisTop + 1, pill, 16, 4);
  context.fill();
  context.fillStyle = isOver ? tokens.panel : tokens.liveInk;
  context.textAlign = 'center';
  context.textBaseline = 'top';
  context.fillText(text, left + pill / 2, axisTop + 4);
}

function circle(context: CanvasRenderingContext2D, x: number, y: number, radius: number): void {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
}
