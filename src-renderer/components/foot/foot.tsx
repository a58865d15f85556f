import { useEffect, useMemo, useRef, useState, type ReactElement } from 'react';
import { markAt, paintFootChart, type FootChart, type Mark } from '../../draw/foot-chart';
import { layerKey } from '../../draw/layer-keys';
import { scaledContext } from '../../draw/scaled-canvas';
import { tokens } from '../../draw/tokens';
import { networkRows } from '../../scene/network-rows';
import { formatCount, formatNumber, formatPercent } from '../../scene/numbers';
import { SMALL_SCREEN, useMedia } from '../../state/screen';
import { examplesUnderWay, lossUnderWay } from '../../state/standing';
import { latestTest } from '../../state/actions';
import { shownStep } from '../../state/shown-step';
import { appStore, useApp } from '../../state/store';
import { useWords } from '../live';
import { usePage } from '../page-context';
import { setText } from '../set-text';
import { Segments } from '../segments';
import type { NonFinite, WeightsReplaced } from '../../../src-shared/protocol/messages';
import { nonFiniteCounts, nonFinitePlace } from '../../../src-shared/text/non-finite';
import './foot.css';
import { FootModel, LANES, type LaneName } from './foot-model';

const CHART_HEIGHT = 140;
const SMALL_CHART_HEIGHT = 64;

const CHOICES = [
  { value: 'loss', label: 'Loss' },
  { value: 'accuracy', label: 'Accuracy' },
  { value: 'gradientNorm', label: '|g|' },
] as const;

/** The run so far: loss, both accuracies and gradient norms over the steps, and what they are now. */
export function Foot(): ReactElement {
  const isSmall = useMedia(SMALL_SCREEN);
  const [chosen, setChosen] = useState<LaneName>('loss');
  const lanes = isSmall ? [chosen] : LANES;
  return (
    <footer className="foot" aria-label="The run so far" data-small={isSmall}>
      <div className="lane-labels">
        {isSmall && (
          <Segments label="Chart" size="small" options={CHOICES} value={chosen} onChange={setChosen} />
        )}
        {lanes.map((lane) => (
          <LaneLabel key={lane} lane={lane} isSmall={isSmall} />
        ))}
      </div>
      <Chart lanes={lanes} height={isSmall ? SMALL_CHART_HEIGHT : CHART_HEIGHT} />
      <div className="lane-values">
        {lanes.map((lane) => (
          <div key={lane}>
            {lane === 'loss' && <LossValues isSmall={isSmall} />}
            {lane === 'accuracy' && <AccuracyValues isSmall={isSmall} />}
            {lane === 'gradientNorm' && <NormValues />}
          </div>
        ))}
      </div>
    </footer>
  );
}

function LaneLabel({ lane, isSmall }: { lane: LaneName; isSmall: boolean }): ReactElement {
  switch (lane) {
    case 'loss':
      return (
        <div>
          {!isSmall && <b>Loss, log scale</b>}
          <span>
            <i className="line-key" />
            train <i className="dot-key" /> test
          </span>
        </div>
      );
    case 'accuracy':
      return (
        <div>
          {!isSmall && <b>Accuracy</b>}
          <span>
            <i className="line-key" />
            running training <i className="dot-key" /> test
          </span>
        </div>
      );
    case 'gradientNorm':
      return (
        <div>
          {!isSmall && <b>Gradient norm |g|</b>}
          <span>per layer, log scale</span>
        </div>
      );
  }
}

function Chart({ lanes, height }: { lanes: readonly LaneName[]; height: number }): ReactElement {
  const { metrics, loop, frames } = usePage();
  const host = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const model = useRef(new FootModel());
  const size = useRef({ width: 0, pixelRatio: 1 });
  const drawn = useRef('');
  const context = useRef<CanvasRenderingContext2D | null>(null);
  const shown = useRef<FootChart | null>(null);
  const replacements = useApp((state) => state.replacements);
  const nonFinites = useApp((state) => state.nonFinites);
  const marks = useMemo(() => marksOf(replacements, nonFinites), [replacements, nonFinites]);

  useEffect(() => {
    const { current } = host;
    if (current === null) return;
    const observer = new ResizeObserver(() => {
      size.current = { width: current.clientWidth, pixelRatio: window.devicePixelRatio };
      context.current = null;
      loop.invalidateWords();
    });
    observer.observe(current);
    return () => {
      observer.disconnect();
    };
  }, [loop]);
  // The fonts the canvas writes in may come after its first picture.
  useEffect(() => {
    void document.fonts.ready.then(() => {
      drawn.current = '';
      loop.invalidateWords();
    });
  }, [loop]);

  useWords(() => {
    const { status, plan, evaluations, weightsRevision } = appStore.getState();
    const { width, pixelRatio } = size.current;
    if (canvas.current === null || status === null || plan === null || width === 0) return;
    const colours = tokens();
    const { stepsPerEpoch, epochs } = status;
    const step = Math.min(metrics.length, shownStep(status, frames));
    const counts = [
      metrics.length,
      step,
      evaluations.length,
      // Of many only the newest are kept.
      evaluations.at(-1)?.step ?? 0,
      weightsRevision,
      marks.length,
      stepsPerEpoch,
      epochs,
      width,
      pixelRatio,
      height,
    ];
    const key = [
      ...counts,
      ...lanes,
      colours.ink,
      colours.panel,
      colours.live,
      status.runId,
      status.state,
    ].join();
    if (key === drawn.current && context.current !== null) return;
    drawn.current = key;
    if (context.current?.canvas !== canvas.current) context.current = null;
    context.current ??= scaledContext(canvas.current, width, height, pixelRatio);
    const layers = layersWithWeights(plan);
    const chart = model.current.chart(
      metrics,
      { width, lanes, layers, status, step, evaluations, marks },
      colours,
    );
    shown.current = chart;
    paintFootChart(context.current, chart, colours);
  }, 'step');

  return (
    <div ref={host} className="chart">
      <canvas
        ref={canvas}
        key={height}
        role="img"
        aria-label={[
          'Loss, accuracy and gradient norms over the steps of the run',
          ...marks.map(({ words }) => words),
        ].join('; ')}
        onPointerMove={({ clientX, currentTarget }) => {
          const at = clientX - currentTarget.getBoundingClientRect().left;
          const { current } = shown;
          const mark = current === null ? undefined : current.marks?.[markAt(current, at)];
          currentTarget.title = mark?.words ?? '';
        }}
      />
    </div>
  );
}

/** What happened to the run, in the order of its steps. */
function marksOf(replacements: readonly WeightsReplaced[], nonFinites: readonly NonFinite[]): Mark[] {
  const replaced = replacements.map((replacement) => ({
    step: replacement.step,
    isNonFinite: false,
    words: replacementWords(replacement),
  }));
  const met = nonFinites.map((nonFinite) => ({
    step: nonFinite.step,
    isNonFinite: true,
    words: `${nonFiniteCounts(nonFinite)} first met in ${nonFinitePlace(nonFinite)}`,
  }));
  return [...replaced, ...met].sort((a, b) => a.step - b.step);
}

const replacementWords = ({ source, name, step }: WeightsReplaced): string =>
  source === 'file'
    ? `weights opened from ${name} at step ${formatCount(step)}`
    : `a weight of ${name} set by hand at step ${formatCount(step)}`;

type Plan = NonNullable<ReturnType<typeof appStore.getState>['plan']>;

const layersWithWeights = (plan: Plan): string[] =>
  networkRows(plan).flatMap((row) => (row.kind === 'layer' ? [row.layer.spec.name] : []));

/** The value of a column of the metrics at the step that is shown. */
function Live({ column, format }: { column: string; format: (value: number) => string }): ReactElement {
  const { metrics, frames } = usePage();
  const text = useRef<HTMLElement>(null);
  useWords(() => {
    const { status } = appStore.getState();
    const value = status === null ? null : metrics.at(column, shownStep(status, frames));
    setText(text.current, value === null ? '–' : format(value));
  }, 'step');
  return <b ref={text} />;
}

const asPercent = (share: number): string => formatPercent(share, 2);

function LossValues({ isSmall }: { isSmall: boolean }): ReactElement {
  const test = useApp(latestTest);
  const underWay = useApp(({ status }) => lossUnderWay(status));
  const isInside = useApp(({ status }) => examplesUnderWay(status) !== null);
  const whose = isInside && underWay === null ? 'last step' : 'this minibatch';
  return (
    <div className="pairs">
      <span>{isSmall ? 'train' : `train loss, ${whose}`}</span>
      {underWay === null ? <Live column="loss" format={formatNumber} /> : <b>{formatNumber(underWay)}</b>}
      <span>{isSmall ? 'test' : `test loss${test === null ? '' : `, step ${formatCount(test.step)}`}`}</span>
      <b>{test === null ? '–' : formatNumber(Number(test.loss))}</b>
    </div>
  );
}

function AccuracyValues({ isSmall }: { isSmall: boolean }): ReactElement {
  const test = useApp(latestTest);
  return (
    <div className="pairs">
      <span>{isSmall ? 'running training' : 'running training accuracy'}</span>
      <Live column="runningAccuracy" format={asPercent} />
      <span>
        {isSmall ? 'test' : `test accuracy${test === null ? '' : `, step ${formatCount(test.step)}`}`}
      </span>
      <b>{test === null ? '–' : asPercent(test.accuracy)}</b>
    </div>
  );
}

function NormValues(): ReactElement {
  const plan = useApp((state) => state.plan);
  const layers = plan === null ? [] : layersWithWeights(plan);
  return (
    <div className="norm-pairs">
      {layers.map((layer, index) => (
        <span key={layer}>
          <i className="line-key" style={{ background: layerKey(index, 'right') }} />
          {layer} <Live column={`gradientNorm:${layer}`} format={formatNumber} />
        </span>
      ))}
    </div>
  );
}
