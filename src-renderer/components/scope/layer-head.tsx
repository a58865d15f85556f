import { useRef, type ReactElement } from 'react';
import { layerColour, layerDash, layerKey } from '../../draw/layer-keys';
import { scaledContext } from '../../draw/scaled-canvas';
import { paintSparkline } from '../../draw/sparkline';
import { tokens } from '../../draw/tokens';
import { RunningMeans } from '../../scene/running-means';
import { healthLabel, healthSentence, ratioOf } from '../../scene/health';
import { kernelAddress, kernelShape, sizesText, type LayerRow } from '../../scene/network-rows';
import { formatCount, formatNumber } from '../../scene/numbers';
import type { LayerRowLayout } from '../../scene/scope-layout';
import { largestKernel } from '../../scene/statistics';
import { shownStep } from '../../state/shown-step';
import { appStore, useApp } from '../../state/store';
import { useWords } from '../live';
import { usePage } from '../page-context';
import { setData, setText } from '../set-text';
import { scopeModelOf } from './scope-model';
import { SortButtons, SortFields } from './sort-control';

/** Heads of at least this height have their sizes in two lines, and words. */
const TALL = 150;
/** Fields to sort by, in words, need this much. */
const WITH_SORTING = 200;
/** The rows of facts below the words need this much. */
const WITH_FACTS = 280;
const SPARK_WIDTH = 122;
/** Points half a pixel apart or more. */
const MOST_SPARK_POINTS = 2 * SPARK_WIDTH;
/** Three norms stand side by side. */
const NORM_WIDTH = 6;
/** Beside the buttons to sort by. */
const NARROW_SPARK_WIDTH = 66;

/** Name, sizes, health, norms and the update ratio over the run. */
export function LayerHead({ row, pixelRatio }: { row: LayerRowLayout; pixelRatio: number }): ReactElement {
  const { layer, weight, height, keyIndex, oneLineHead: oneLine } = row;
  const shape = kernelShape(weight.shape);
  const sizes = sizesText(weight.shape);
  const parameters = formatCount(layer.parameters.reduce((sum, { size }) => sum + size, 0));
  const tall = height >= TALL;
  const withFacts = height >= WITH_FACTS;
  const sorts = row.overview === null;
  const sortsByButtons = sorts && height < WITH_SORTING;
  const sparkHeight = oneLine ? 14 : tall ? (withFacts ? 38 : 30) : height >= 85 ? 38 : 17;
  return (
    <div className="layer-head" style={{ '--key': layerKey(keyIndex, 'bottom') }}>
      <div className="title">
        <b title={layer.spec.name}>{layer.spec.name}</b>
        {oneLine && <span>{sizes}</span>}
        <Pill row={row} />
      </div>
      {!oneLine && <div className="sizes">{tall ? sizes : `${sizes}, ${parameters}`}</div>}
      {tall && <div className="sizes">{parameters} parameters</div>}
      <Norms layer={layer.spec.name} />
      <div className="spark-line">
        <RatioSparkline
          row={row}
          width={sortsByButtons ? NARROW_SPARK_WIDTH : SPARK_WIDTH}
          height={sparkHeight}
          pixelRatio={pixelRatio}
        />
        {sortsByButtons && <SortButtons row={row} />}
      </div>
      {tall && <div className="hint">|dW|/|W| over the run</div>}
      {sorts && !sortsByButtons && <SortFields row={row} />}
      {withFacts && (
        <>
          <Facts row={row} />
          <p className="hint">
            {shape.inputs === null
              ? `Each row is a unit, each column one of its ${formatCount(shape.width)} inputs.`
              : `Each row is a filter, each column one of its ${formatCount(shape.inputs)} inputs.`}
          </p>
        </>
      )}
    </div>
  );
}

function Pill({ row }: { row: LayerRow }): ReactElement {
  const model = scopeModelOf(usePage());
  const pill = useRef<HTMLSpanElement>(null);
  const label = useRef<HTMLSpanElement>(null);
  useWords(() => {
    const { health, since } = model.health(row);
    setData(pill.current, 'health', health.kind);
    setText(label.current, healthLabel(health));
    const sentence = healthSentence(health);
    const title = sentence === '' ? '' : `${sentence} Seen so since step ${formatCount(since)}.`;
    if (pill.current !== null && pill.current.title !== title) pill.current.title = title;
  });
  return (
    <span ref={pill} className="pill" data-health="unknown">
      <svg viewBox="0 0 7 7" aria-hidden="true">
        <circle cx="3.5" cy="3.5" r="3" />
        <path d="M3.5 0 7 7H0z" />
      </svg>
      <span ref={label} />
    </span>
  );
}

function Norms({ layer }: { layer: string }): ReactElement {
  const { metrics, frames } = usePage();
  const host = useRef<HTMLDivElement>(null);
  useWords(() => {
    const { status } = appStore.getState();
    const step = status === null ? 0 : shownStep(status, frames);
    const weight = metrics.at(`weightNorm:${layer}`, step);
    const gradient = metrics.at(`gradientNorm:${layer}`, step);
    const update = metrics.at(`updateNorm:${layer}`, step);
    const ratio = ratioOf(update ?? undefined, weight ?? undefined);
    [weight, gradient, ratio].forEach((value, index) => {
      setText(host.current?.children[index] ?? null, value === null ? '–' : formatNumber(value, NORM_WIDTH));
    });
  }, 'step');
  return (
    <div ref={host} className="norms">
      <b title="|W|, L2 norm of the weights" />
      <b title="|g|, L2 norm of the minibatch gradient" />
      <b title="|dW|/|W|; – where |W| is 0 or no finite number" />
    </div>
  );
}

function RatioSparkline({
  row,
  width,
  height,
  pixelRatio,
}: {
  row: LayerRow;
  width: number;
  height: number;
  pixelRatio: number;
}): ReactElement {
  const { metrics } = usePage();
  const canvas = useRef<HTMLCanvasElement>(null);
  const drawn = useRef('');
  const { name } = row.layer.spec;
  const means = useRef(new RunningMeans(MOST_SPARK_POINTS));
  const revision = useRef(-1);
  useWords(() => {
    if (canvas.current === null) return;
    const colour = layerColour(tokens(), row.keyIndex);
    const key = [metrics.length, metrics.revision, colour, width, height, pixelRatio].join();
    if (key === drawn.current) return;
    drawn.current = key;
    const context = scaledContext(canvas.current, width, height, pixelRatio);
    const updates = metrics.column(`updateNorm:${name}`);
    const weights = metrics.column(`weightNorm:${name}`);
    if (revision.current !== metrics.revision) means.current.clear();
    revision.current = metrics.revision;
    means.current.takeUpTo(
      metrics.length,
      (index) => ratioOf(updates.at(index), weights.at(index)) ?? Number.NaN,
    );
    paintSparkline(context, means.current.means(), {
      width,
      height,
      colour,
      log: true,
      dash: layerDash(row.keyIndex),
    });
  });
  return (
    <canvas
      ref={canvas}
      className="spark"
      role="img"
      aria-label={`${name} |dW|/|W| over the run, log scale`}
      style={{ width, height }}
    />
  );
}

function Facts({ row }: { row: LayerRow }): ReactElement {
  const { frames } = usePage();
  const largest = useRef<HTMLElement>(null);
  const { layer, weight } = row;
  const shape = kernelShape(weight.shape);
  const selection = useApp(({ view }) => view.selection);
  const here = selection?.layer === layer.spec.name ? selection : null;
  useWords(() => {
    const slot = frames.inWords()?.slot(weight.name, 'gradient') ?? null;
    const usable = slot !== null && slot.state.freshness === 'fresh' && slot.slot.block === null;
    setText(
      largest.current,
      usable ? address(kernelAddress(shape, largestKernel(slot.values, shape.height * shape.width))) : '–',
    );
  });
  return (
    <dl className="facts">
      <dt>Selected</dt>
      <dd>{here === null ? '–' : address(here)}</dd>
      <dt>Largest |g|</dt>
      <dd ref={largest} />
    </dl>
  );
}

const address = ({ filter, input }: { filter: number; input: number | null }): string =>
  input === null ? String(filter) : `${String(filter)}, ${String(input)}`;
