import { useRef, type ReactElement } from 'react';
import { maskShape } from '../../../src-shared/model/dropout-mask';
import { sizeOf, type LayerPlan } from '../../../src-shared/model/network';
import { scaledContext } from '../../draw/scaled-canvas';
import { tokens } from '../../draw/tokens';
import type { FrameSlot, FrameView } from '../../frames/frame-store';
import { exampleLoss, type LossKind } from '../../scene/loss';
import { formatNumber, formatPercent } from '../../scene/numbers';
import { channelMeans, positiveShare, silentChannels } from '../../scene/statistics';
import { examplesUnderWay, lossUnderWay } from '../../state/standing';
import { shownStep } from '../../state/shown-step';
import { appStore } from '../../state/store';
import { useWords } from '../live';
import { usePage } from '../page-context';
import { setFilled, setText } from '../set-text';
import { keptText, MaskBoxes } from './mask-boxes';
import { isBlank, mapKind } from './scope-model';

const BAR_HEIGHT = 11;

/** Output of a layer for what the maps show; null where there is none yet. */
function shownOutput(view: FrameView | null, layer: LayerPlan): FrameSlot | null {
  const slot = view?.slot(layer.spec.name, mapKind(view, 'output')) ?? null;
  // Of block means nothing is said: they are not the values.
  return slot === null || isBlank(slot) || slot.slot.block !== null ? null : slot;
}

export function Active({ layer }: { layer: LayerPlan }): ReactElement {
  const { frames } = usePage();
  const text = useRef<HTMLElement>(null);
  const meter = useRef<HTMLSpanElement>(null);
  useWords(() => {
    const slot = shownOutput(frames.inWords(), layer);
    const share = slot === null ? null : positiveShare(slot.values);
    setText(text.current, share === null ? '–' : formatPercent(share, 0));
    setFilled(meter.current, share === null || Number.isNaN(share) ? 0 : share);
  });
  return (
    <span className="fact" title="Share of outputs above zero for what the maps are of">
      active
      {layer.outputShape.length === 3 && <span ref={meter} className="meter" />}
      <b ref={text} />
    </span>
  );
}

export function DeadMaps({ layer }: { layer: LayerPlan }): ReactElement {
  const { frames } = usePage();
  const text = useRef<HTMLElement>(null);
  const [channels = 1] = layer.outputShape;
  useWords(() => {
    const slot = shownOutput(frames.inWords(), layer);
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

/** More boxes than this are no longer seen one by one. */
const MOST_BOXES = 64;
const BOX_HEIGHT = 10;

/** What dropout kept of the example; the digit goes through with dropout off. */
export function Kept({ layer }: { layer: LayerPlan }): ReactElement {
  const { frames } = usePage();
  const text = useRef<HTMLElement>(null);
  const decides = sizeOf(maskShape(layer));
  useWords(() => {
    setText(text.current, keptText(frames.inWords(), layer) ?? 'not yet');
  });
  return (
    <span className="fact" title="Filled: kept by dropout for this example; open: dropped">
      kept
      {decides <= MOST_BOXES && (
        <MaskBoxes layer={layer} width={Number.POSITIVE_INFINITY} height={BOX_HEIGHT} />
      )}
      <b ref={text} />
    </span>
  );
}

/** Mean of each map (or the value of each unit) as a bar. */
export function Means({ layer, pixelRatio }: { layer: LayerPlan; pixelRatio: number }): ReactElement {
  const { frames } = usePage();
  const canvas = useRef<HTMLCanvasElement>(null);
  const drawn = useRef('');
  const [channels = 1] = layer.outputShape;
  const pitch = channels > 20 ? 6 : 5;
  const width = channels * pitch - 1;
  useWords(() => {
    if (canvas.current === null) return;
    const view = frames.inWords();
    const { ink2, nan, zero } = tokens();
    const key = [view?.serial, ink2, pixelRatio].join();
    if (key === drawn.current) return;
    drawn.current = key;
    const slot = shownOutput(view, layer);
    const context = scaledContext(canvas.current, width, BAR_HEIGHT, pixelRatio);
    if (slot === null) return;
    const means = channelMeans(slot.values, channels);
    const known = means.filter(Number.isFinite);
    const [least, most] = [Math.min(...known, 0), Math.max(...known, 0)];
    /** From the top; bars stand on zero, and hang from it where outputs can be negative. */
    const heightOf = (value: number): number =>
      most === least ? BAR_HEIGHT - 1 : Math.round((BAR_HEIGHT - 1) * ((most - value) / (most - least)));
    means.forEach((value, channel) => {
      const finite = Number.isFinite(value);
      const [from, to] = finite
        ? [heightOf(Math.max(value, 0)), heightOf(Math.min(value, 0))]
        : [0, BAR_HEIGHT - 1];
      context.fillStyle = finite ? ink2 : nan;
      context.fillRect(channel * pitch, from, pitch - 1, to - from + 1);
      if (finite) return;
      context.fillStyle = zero;
      for (let y = from + 2; y <= to; y += 4) context.fillRect(channel * pitch, y, pitch - 1, 2);
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

export function Losses({ loss: kind }: { loss: LossKind }): ReactElement {
  const { frames, metrics } = usePage();
  const minibatch = useRef<HTMLElement>(null);
  const chosen = useRef<HTMLElement>(null);
  const whose = useRef<HTMLSpanElement>(null);
  useWords(() => {
    const { status } = appStore.getState();
    const underWay = lossUnderWay(status);
    const loss = underWay ?? (status === null ? null : metrics.at('loss', shownStep(status, frames)));
    const isThis = underWay !== null || examplesUnderWay(status) === null;
    setText(whose.current, isThis ? 'this' : 'the last');
    setText(minibatch.current, loss === null ? '–' : formatNumber(loss));
    const { digit } = appStore.getState();
    const slot = frames.inWords()?.slot('output', 'digitProbabilities') ?? null;
    // A drawn digit without a label is taken for what it is said to be, which is the most probable.
    if (digit === null || slot === null || isBlank(slot)) setText(chosen.current, '–');
    else {
      const label = digit.label ?? digit.assumedLabel ?? slot.values.indexOf(Math.max(...slot.values));
      setText(chosen.current, formatNumber(exampleLoss(kind, slot.values, label)));
    }
  }, 'step');
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
