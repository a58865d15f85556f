import { Fragment, useRef, type ReactElement } from 'react';
import type { LayerPlan } from '../../../src-shared/model/network';
import { scaledContext } from '../../draw/scaled-canvas';
import { tokens } from '../../draw/tokens';
import type { FrameSlot, FrameView } from '../../frames/frame-store';
import { exampleLoss, LOSS_STEPS, type LossKind } from '../../scene/loss';
import { betweenName, planeSize } from '../../scene/network-rows';
import { formatNumber, formatPercent } from '../../scene/numbers';
import type { BetweenRowLayout } from '../../scene/scope-layout';
import { channelMeans, positiveShare, silentChannels } from '../../scene/statistics';
import { appStore } from '../../state/store';
import { useWords } from '../live';
import { usePage } from '../page-context';
import { showFreshness } from './kernel-picture';
import { mapFreshness, Maps } from './map-picture';
import { setText } from '../set-text';
import { markAttributes, type RowMark } from './row-mark';
import { isBlank, mapKind, type MapSide } from './scope-model';

const BAR_HEIGHT = 11;

/** The layers without weights between two with: what they do to the chosen digit, in one line. */
export function BetweenRow({
  row,
  mark,
  pixelRatio,
}: {
  row: BetweenRowLayout;
  mark: RowMark;
  pixelRatio: number;
}): ReactElement {
  const { layers, loss, strip } = row;
  // Flatten only renames its input: it is named while training stands there.
  const names = layers
    .filter(({ spec, index }) => spec.kind !== 'flatten' || index === mark.layer)
    .map((layer) => ({ text: betweenName(layer), here: layer.index === mark.layer }));
  if (loss !== null)
    names.push(
      ...LOSS_STEPS[loss].map((text) => ({
        text,
        here: mark.standing === 'here' && mark.layer === null,
      })),
    );
  const relu = layers.findLast(({ spec }) => spec.kind === 'relu') ?? null;
  const pool = layers.find(({ spec }) => spec.kind === 'maxPool2d') ?? null;
  const flatten = layers.find(({ spec }) => spec.kind === 'flatten') ?? null;
  const dropout = layers.some(({ spec }) => spec.kind === 'dropout');
  const shown = lastShown(layers);
  // Means of the channels take the room of the count of dead maps where there is a dropout to look out for.
  const meansOf = dropout || (shown !== null && shown.outputShape.length === 1) ? shown : null;
  return (
    <div className="scope-row between" {...markAttributes(mark)}>
      <div className="names">
        {names.map((name, index) => (
          <Fragment key={index}>
            {index > 0 && <Chevron />}
            <span className={name.here ? 'here' : undefined}>{name.text}</span>
          </Fragment>
        ))}
      </div>
      <div className="facts-line">
        {meansOf !== null && <Means layer={meansOf} pixelRatio={pixelRatio} />}
        {relu !== null && <Active layer={relu} />}
        {relu !== null && meansOf === null && relu.outputShape.length === 3 && <DeadMaps layer={relu} />}
        {pool !== null && (
          <span>
            {planeSize(pool.inputShape)} to {planeSize(pool.outputShape)}
            {flatten !== null && ` to ${planeSize(flatten.outputShape)}`}
          </span>
        )}
        {pool === null && flatten !== null && <span>flatten to {planeSize(flatten.outputShape)}</span>}
        {dropout && <Kept layers={layers} />}
        {loss !== null && <Losses loss={loss} />}
      </div>
      <FlowMark direction="down" />
      <div className="strip-maps">
        {strip !== null && shown !== null && (
          <Strip layer={shown} side="output" strip={strip} pixelRatio={pixelRatio} />
        )}
      </div>
      <FlowMark direction="up" />
      <div className="strip-maps">
        {strip !== null && shown !== null && (
          <Strip layer={shown} side="error" strip={strip} pixelRatio={pixelRatio} />
        )}
      </div>
    </div>
  );
}

/** The last of these layers whose output is watched: flatten and, for the digit, dropout only pass theirs on. */
const lastShown = (layers: readonly LayerPlan[]): LayerPlan | null =>
  layers.findLast(({ spec }) => spec.kind === 'relu' || spec.kind === 'maxPool2d') ?? null;

function Strip({
  layer,
  side,
  strip,
  pixelRatio,
}: {
  layer: LayerPlan;
  side: MapSide;
  strip: NonNullable<BetweenRowLayout['strip']>;
  pixelRatio: number;
}): ReactElement {
  const { tiles, of } = strip;
  const part = tiles.kernels < of ? { title: `maps 0 to ${String(tiles.kernels - 1)} of ${String(of)}` } : {};
  return (
    <Maps
      layer={layer.spec.name}
      side={side}
      onSlot={(picture, slot) => {
        showFreshness(picture, null, slot, mapFreshness(slot));
      }}
      tiles={tiles}
      withMean={false}
      pixelRatio={pixelRatio}
      {...part}
    />
  );
}

/** Output of a layer for what the maps show; null where there is none yet. */
function shownOutput(view: FrameView | null, layer: LayerPlan): FrameSlot | null {
  const slot = view?.slot(layer.spec.name, mapKind(view, 'output')) ?? null;
  return slot === null || isBlank(slot) ? null : slot;
}

function Active({ layer }: { layer: LayerPlan }): ReactElement {
  const { frames } = usePage();
  const text = useRef<HTMLElement>(null);
  const meter = useRef<HTMLSpanElement>(null);
  useWords(() => {
    const slot = shownOutput(frames.latest(), layer);
    const share = slot === null ? null : positiveShare(slot.values);
    setText(text.current, share === null ? '–' : formatPercent(share, 0));
    if (meter.current !== null)
      meter.current.style.width = formatWidth(share === null || Number.isNaN(share) ? 0 : share);
  });
  return (
    <span className="fact" title="Share of ReLU outputs above zero for what the maps are of">
      active
      {layer.outputShape.length === 3 && (
        <span className="meter">
          <span ref={meter} />
        </span>
      )}
      <b ref={text} />
    </span>
  );
}

const formatWidth = (share: number): string => `${(share * 100).toFixed(1)}%`;

function DeadMaps({ layer }: { layer: LayerPlan }): ReactElement {
  const { frames } = usePage();
  const text = useRef<HTMLElement>(null);
  const [channels = 1] = layer.outputShape;
  useWords(() => {
    const slot = shownOutput(frames.latest(), layer);
    setText(
      text.current,
      slot === null ? '–' : `${String(silentChannels(slot.values, channels))} of ${String(channels)}`,
    );
  });
  return (
    <span className="fact" title="Maps that are zero everywhere for what the maps are of">
      dead maps <b ref={text} />
    </span>
  );
}

/** How many the dropout kept of what it decides on, inside a step; the digit goes through with dropout off. */
function Kept({ layers }: { layers: readonly LayerPlan[] }): ReactElement {
  const { frames } = usePage();
  const text = useRef<HTMLSpanElement>(null);
  useWords(() => {
    const view = frames.latest();
    const dropout = layers.find(({ spec }) => spec.kind === 'dropout');
    const mask = dropout === undefined ? null : (view?.slot(dropout.spec.name, 'mask') ?? null);
    if (view === null || view.example === null || mask === null) setText(text.current, 'dropout off');
    else if (isBlank(mask)) setText(text.current, 'mask not yet');
    else {
      const kept = mask.values.filter((factor) => factor !== 0).length;
      setText(text.current, `kept ${String(kept)} of ${String(mask.values.length)}`);
    }
  });
  return <span ref={text} />;
}

/** Mean of each map (or the value of each unit) as a bar. */
function Means({ layer, pixelRatio }: { layer: LayerPlan; pixelRatio: number }): ReactElement {
  const { frames } = usePage();
  const canvas = useRef<HTMLCanvasElement>(null);
  const drawn = useRef('');
  const [channels = 1] = layer.outputShape;
  const pitch = channels > 20 ? 6 : 5;
  const width = channels * pitch - 1;
  useWords(() => {
    if (canvas.current === null) return;
    const view = frames.latest();
    const { ink2, nan } = tokens();
    const key = [view?.serial, ink2, pixelRatio].join();
    if (key === drawn.current) return;
    drawn.current = key;
    const slot = shownOutput(view, layer);
    const context = scaledContext(canvas.current, width, BAR_HEIGHT, pixelRatio);
    if (slot === null) return;
    const means = channelMeans(slot.values, channels);
    const most = Math.max(...means.filter(Number.isFinite), 0);
    means.forEach((value, channel) => {
      const finite = Number.isFinite(value);
      const share = finite && most > 0 ? Math.max(0, value) / most : 0;
      const height = finite ? Math.max(1, Math.round(BAR_HEIGHT * share)) : BAR_HEIGHT;
      context.fillStyle = finite ? ink2 : nan;
      context.fillRect(channel * pitch, BAR_HEIGHT - height, pitch - 1, height);
    });
  });
  return (
    <span className="fact">
      mean
      <canvas
        ref={canvas}
        role="img"
        aria-label={`${layer.spec.name} mean of each ${layer.outputShape.length === 3 ? 'map' : 'unit'}`}
        style={{ width, height: BAR_HEIGHT }}
      />
    </span>
  );
}

function Losses({ loss: kind }: { loss: LossKind }): ReactElement {
  const { frames, metrics } = usePage();
  const minibatch = useRef<HTMLElement>(null);
  const chosen = useRef<HTMLElement>(null);
  const whose = useRef<HTMLSpanElement>(null);
  useWords(() => {
    const loss = metrics.last('loss');
    // The loss of a minibatch is told when its step is finished.
    setText(whose.current, (frames.latest()?.example ?? null) === null ? 'this' : 'the last');
    setText(minibatch.current, loss === null ? '–' : formatNumber(loss));
    const { digit } = appStore.getState();
    const slot = frames.latest()?.slot('output', 'digitProbabilities') ?? null;
    // A drawn digit without a label is taken for what it is said to be, which is the most probable.
    if (digit === null || slot === null || isBlank(slot)) setText(chosen.current, '–');
    else {
      const label = digit.label ?? digit.assumedLabel ?? slot.values.indexOf(Math.max(...slot.values));
      setText(chosen.current, formatNumber(exampleLoss(kind, slot.values, label)));
    }
  });
  return (
    <>
      <span className="fact">
        <span>
          loss of <span ref={whose}>this</span> minibatch
        </span>{' '}
        <b ref={minibatch} />
      </span>
      <span className="fact">
        loss of the chosen digit <b ref={chosen} />
      </span>
    </>
  );
}

const Chevron = (): ReactElement => (
  <svg className="chevron" viewBox="0 0 5 8" aria-hidden="true">
    <path d="M1 1l3 3-3 3" />
  </svg>
);

/** An arrowhead on the rail beside output (down) or error (up). */
const FlowMark = ({ direction }: { direction: 'down' | 'up' }): ReactElement => (
  <div className="flow-mark">
    <svg viewBox="0 0 9 12" aria-hidden="true">
      <path d={direction === 'down' ? 'M1.5 4.5l3 3.5 3-3.5' : 'M1.5 7.5l3-3.5 3 3.5'} />
    </svg>
  </div>
);
