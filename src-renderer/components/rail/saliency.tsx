import { useEffect, useMemo, useRef, useState, type ReactElement } from 'react';
import { Picture } from '../../draw/picture';
import { pictures } from '../../draw/picture-registry';
import type { FrameStore } from '../../frames/frame-store';
import { formatScale } from '../../scene/numbers';
import { cssSize } from '../../scene/scope-layout';
import { tileGrid } from '../../scene/tiles';
import { showSaliency } from '../../state/actions';
import { appStore, type SaliencyClass } from '../../state/store';
import { LiveText } from '../live';
import { usePage } from '../page-context';
import { MarkLayer } from '../scope/mark-layer';
import { scopeModelOf } from '../scope/scope-model';
import { setData } from '../set-text';
import { mostLikely, probabilitiesOf } from './probabilities';
import { saliencyScaleOf } from './saliency-scale';

/** The class whose score it is: the one chosen, or the one that the network says in the picture on the screen. */
export function classOf(frames: FrameStore, saliency: SaliencyClass): string {
  if (saliency !== 'said') return String(saliency);
  const probabilities = probabilitiesOf(frames);
  return probabilities === null ? '–' : mostLikely(probabilities);
}

/**
 * d score / d pixel of the digit, on the colours of the scope and on a scale of its own: orange where more ink would raise the
 * score of the class, blue where it would lower it.
 */
export function SaliencyPicture({
  saliency,
  height,
  width,
  pixel,
}: {
  saliency: SaliencyClass;
  height: number;
  width: number;
  /** CSS pixels a pixel of the digit. */
  pixel: number;
}): ReactElement {
  const parts = usePage();
  const model = scopeModelOf(parts);
  const canvas = useRef<HTMLCanvasElement>(null);
  const marks = useRef<HTMLCanvasElement>(null);
  const host = useRef<HTMLDivElement>(null);
  const pixelRatio = usePixelRatio();
  const tiles = useMemo(() => {
    const cell = Math.max(1, Math.round(pixel * pixelRatio));
    return tileGrid({ count: 1, tileHeight: height, tileWidth: width, across: 1, cell, gap: 0 });
  }, [height, width, pixel, pixelRatio]);

  useEffect(() => {
    if (canvas.current === null || marks.current === null) return;
    const picture = new Picture(canvas.current, tiles);
    const markLayer = new MarkLayer(marks.current, { tiles, pixelRatio });
    const scales = new Float64Array(1);
    let drawn = '';
    const paint = (): void => {
      const shown = saliencyScaleOf(parts.frames).refresh(saliency);
      const isRunning = appStore.getState().status?.state === 'running';
      const table = model.colours();
      const state = `${String(parts.frames.latest()?.serial)} ${table.theme} ${String(isRunning)}`;
      const isOld = shown?.slot.state.freshness === 'old' && !isRunning;
      setData(host.current, 'state', isOld ? 'old' : null);
      if (state === drawn) return;
      drawn = state;
      scales[0] = shown?.scale.value ?? 1;
      picture.paint({ values: shown?.slot.values ?? null, scales, table, gapPixel: 0 });
      const bad = shown !== null && shown.slot.state.nan + shown.slot.state.infinite > 0;
      markLayer.paint(
        { nonFinite: bad ? shown.slot.values : null, deadKernels: [], deadMaps: [], fates: null },
        state,
      );
    };
    const withdraw = [
      parts.loop.addPainter('draw', paint),
      pictures.add(String(saliency), 'digitSaliency', () => picture.read(1)),
    ];
    return () => {
      for (const remove of withdraw) remove();
    };
  }, [model, parts, tiles, pixelRatio, saliency]);

  const size = {
    width: cssSize(tiles.width, tiles, pixelRatio),
    height: cssSize(tiles.height, tiles, pixelRatio),
  };
  return (
    <div
      ref={host}
      className="picture saliency"
      role="img"
      aria-label={`Saliency of the digit for ${saliency === 'said' ? 'the class that the network says' : `class ${String(saliency)}`}`}
      style={size}
    >
      <canvas ref={canvas} style={size} />
      <canvas ref={marks} className="marks" hidden />
    </div>
  );
}

/** Of which class it is and what its colours mean; the scale is that of the picture. */
export function SaliencyCaption({ saliency }: { saliency: SaliencyClass }): ReactElement {
  const { frames } = usePage();
  const scaleText = (): string => {
    const shown = saliencyScaleOf(frames).refresh(saliency);
    if (shown === null) return 'not yet';
    const { scale } = shown;
    return scale.known ? `±${formatScale(scale.value)}` : '0 everywhere';
  };
  return (
    <p className="words saliency-words">
      d score of <LiveText className="says" read={() => classOf(frames, saliency)} /> / d pixel,{' '}
      <LiveText read={scaleText} />
      <br />
      orange raises it, blue lowers it
    </p>
  );
}

/** One of the classes, or whatever the network says; the radios of the classes lie on their bars (see Probabilities). */
export function FollowChoice({ saliency, group }: { saliency: SaliencyClass; group: string }): ReactElement {
  return (
    <label className="follow">
      <input
        type="radio"
        name={group}
        checked={saliency === 'said'}
        onChange={() => {
          showSaliency('said');
        }}
      />
      <span>follow what it says</span>
    </label>
  );
}

function usePixelRatio(): number {
  const [ratio, setRatio] = useState(window.devicePixelRatio);
  useEffect(() => {
    // Zooming changes the pixel ratio and always resizes the window.
    const measure = (): void => {
      setRatio(window.devicePixelRatio);
    };
    window.addEventListener('resize', measure);
    return () => {
      window.removeEventListener('resize', measure);
    };
  }, []);
  return ratio;
}
