import { useEffect, useMemo, useRef, type KeyboardEvent, type ReactElement, type RefObject } from 'react';
import { layerColour, layerDash } from '../../draw/layer-keys';
import { scaledContext } from '../../draw/scaled-canvas';
import { paintSparkline, sparklineRight } from '../../draw/sparkline';
import { tokens } from '../../draw/tokens';
import { kernelName, type LayerRow } from '../../scene/network-rows';
import { formatCount, formatEnds, formatNumber, formatPercent } from '../../scene/numbers';
import { useMedia } from '../../state/screen';
import { appStore, type Selection } from '../../state/store';
import { useWords } from '../live';
import { isShortcut } from '../key-press';
import { usePage } from '../page-context';
import { setText } from '../set-text';
import { HistorySource, type KernelSeries } from './history-source';

const WIDTH = 110;
const HEIGHT = 26;
/** Where the code leaves little room (the same height as in inspector.css). */
const LOW_HEIGHT = 16;
const LOW_WINDOW = '(max-height: 979px)';

interface Measure {
  readonly name: string;
  readonly symbol: string;
  /** Sizes of a gradient differ by powers of ten. */
  readonly log: boolean;
  readonly of: (series: KernelSeries) => Float32Array;
  /** After the first step there is always one, so what is no number is a NaN and not a gap. */
  readonly always: boolean;
  readonly format: (value: number, width?: number) => string;
  readonly title: (series: KernelSeries | null) => string;
}

const MEASURES: readonly Measure[] = [
  {
    name: '|W|',
    symbol: '|W|',
    log: false,
    of: ({ weightNorms }) => weightNorms,
    always: true,
    format: formatNumber,
    title: () => 'L2 norm of the kernel after each step',
  },
  {
    name: '|g|',
    symbol: '|g|',
    log: true,
    of: ({ gradientNorms }) => gradientNorms,
    always: true,
    format: formatNumber,
    title: () => "L2 norm of the kernel's minibatch gradient, log scale",
  },
  {
    name: '|dW|/|W|',
    symbol: '|dW|/|W|',
    log: true,
    of: ({ ratios }) => ratios,
    always: false,
    format: formatNumber,
    title: () => 'Size of the update in proportion to the kernel, log scale',
  },
  {
    name: 'active outputs',
    symbol: 'active',
    log: false,
    of: ({ activeShares }) => activeShares,
    always: false,
    format: (share) => formatPercent(share, 0),
    title: (series) =>
      series?.activeAfter === null
        ? 'No ReLU follows this layer'
        : `Share of the filter's outputs above zero after ${series?.activeAfter ?? 'its ReLU'}, over the minibatch with dropout`,
  },
];

/** The chosen kernel over the whole run: what the trainer kept, not what this page happened to see. */
export function KernelHistories({ row, selection }: { row: LayerRow; selection: Selection }): ReactElement {
  const { send, loop } = usePage();
  const source = useMemo(
    () =>
      new HistorySource(send, () => {
        loop.invalidateWords();
      }),
    [send, loop],
  );
  /** Sample that is pointed at in all four, and read. */
  const pointed = useRef<number | null>(null);
  const caption = useRef<HTMLDivElement>(null);

  useWords((nowMs) => {
    const { status, weightsRevision: replacements } = appStore.getState();
    if (status !== null) {
      const { runId, step, state } = status;
      source.wish({ runId, selection, step, replacements, running: state === 'running', nowMs });
    }
    const { series } = source;
    if (series === null) pointed.current = null;
    describe(caption.current, source, pointed.current);
  }, 'histories');
  useEffect(() => {
    pointed.current = null;
  }, [selection]);

  const point = (index: number | null): void => {
    if (index === pointed.current) return;
    pointed.current = index;
    loop.invalidateWords();
  };
  const walk = (event: KeyboardEvent): void => {
    const last = (source.series?.steps.length ?? 0) - 1;
    if (last < 0 || isShortcut(event)) return;
    const from = pointed.current ?? last;
    const to = {
      ArrowLeft: from - 1,
      ArrowDown: from - 1,
      ArrowRight: from + 1,
      ArrowUp: from + 1,
      Home: 0,
      End: last,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    point(Math.max(0, Math.min(last, to)));
  };
  return (
    <div className="kernel-title histories-title">
      <b>History</b>
      <div
        ref={caption}
        role="slider"
        aria-label="Step of the history"
        aria-valuemin={0}
        aria-valuemax={0}
        aria-valuenow={0}
        tabIndex={0}
        onKeyDown={walk}
        onBlur={() => {
          point(null);
        }}
      />
      <div
        className="histories"
        onPointerLeave={() => {
          point(null);
        }}
      >
        {MEASURES.map((measure) => (
          <History
            key={measure.name}
            measure={measure}
            row={row}
            selection={selection}
            source={source}
            pointed={pointed}
            onPoint={point}
          />
        ))}
      </div>
    </div>
  );
}

/** `step 0 to 2,640`; `step 1,024 of 2,640` while a sample is pointed at. */
function describe(
  slider: HTMLElement | null,
  { series, failure }: HistorySource,
  pointed: number | null,
): void {
  if (slider === null) return;
  const last = series?.steps.at(-1) ?? 0;
  const at = pointed === null ? null : (series?.steps[pointed] ?? null);
  const text =
    failure ??
    (series === null
      ? 'not yet'
      : at === null
        ? `step 0 to ${formatCount(last)}`
        : `step ${formatCount(at)} of ${formatCount(last)}`);
  setText(slider, text);
  slider.ariaValueMax = String(last);
  slider.ariaValueNow = String(at ?? last);
  slider.ariaValueText = text;
}

/** One measure: its name and value (now, or at the sample that is pointed at), its line, and its range. */
function History({
  measure,
  row,
  selection,
  source,
  pointed,
  onPoint,
}: {
  measure: Measure;
  row: LayerRow;
  selection: Selection;
  source: HistorySource;
  pointed: RefObject<number | null>;
  onPoint: (index: number | null) => void;
}): ReactElement {
  const height = useMedia(LOW_WINDOW) ? LOW_HEIGHT : HEIGHT;
  const canvas = useRef<HTMLCanvasElement>(null);
  const value = useRef<HTMLElement>(null);
  const range = useRef<HTMLDivElement>(null);
  const drawn = useRef<readonly unknown[]>([]);
  useWords(() => {
    const { series } = source;
    const { current } = canvas;
    const colours = tokens();
    const colour = layerColour(colours, row.keyIndex);
    const key = [series, pointed.current, colour, height, window.devicePixelRatio];
    if (current === null || key.every((part, index) => part === drawn.current[index])) return;
    drawn.current = key;
    const values = series === null ? new Float32Array(0) : measure.of(series);
    const at = pointed.current;
    const index = at ?? values.length - 1;
    const shown = values[index];
    const isMissing = shown === undefined || (Number.isNaN(shown) && !(measure.always && index > 0));
    setText(value.current, isMissing ? '–' : measure.format(shown));
    setText(range.current, rangeWords(values, measure));
    current.title = measure.title(series);
    const last = Math.max(1, series?.steps.at(-1) ?? 1);
    paintSparkline(
      scaledContext(current, WIDTH, height, window.devicePixelRatio),
      Float64Array.from(values),
      {
        width: WIDTH,
        height,
        colour,
        log: measure.log,
        dash: layerDash(row.keyIndex),
        places: Float64Array.from(series?.steps ?? [], (step) => step / last),
        ...(at === null ? {} : { mark: { index: at, colour: colours.ink } }),
      },
    );
  }, 'histories');
  return (
    <div className="history" role="group" aria-label={measure.name}>
      <div>
        <span>{measure.symbol}</span>
        <b ref={value} />
      </div>
      <canvas
        ref={canvas}
        role="img"
        aria-label={`${measure.name} of ${kernelName(selection.layer, selection)} over the run`}
        style={{ width: WIDTH, height }}
        onPointerMove={({ clientX, currentTarget }) => {
          const { left, width } = currentTarget.getBoundingClientRect();
          const share = ((clientX - left) / width) * (WIDTH / sparklineRight(WIDTH));
          onPoint(source.series === null ? null : nearest(source.series.steps, share));
        }}
      />
      <div ref={range} className="range" />
    </div>
  );
}

/** Two of them and their words stand below a line. */
const RANGE_WIDTH = 6;

/** `0.31 to 0.58`, of the finite values. */
function rangeWords(values: Float32Array, { format, log }: Measure): string {
  const finite = values.filter((value) => Number.isFinite(value));
  if (finite.length === 0) return 'none';
  const [low, high] = formatEnds(
    finite.reduce((a, b) => Math.min(a, b)),
    finite.reduce((a, b) => Math.max(a, b)),
    RANGE_WIDTH,
    format,
  );
  return `${low} to ${high}${log ? ', log' : ''}`;
}

/** Sample whose step is nearest to a share of the run. */
function nearest(steps: Float32Array, share: number): number | null {
  if (steps.length === 0) return null;
  const wanted = share * (steps.at(-1) ?? 0);
  let best = 0;
  steps.forEach((step, index) => {
    if (Math.abs(step - wanted) < Math.abs((steps[best] ?? 0) - wanted)) best = index;
  });
  return best;
}
