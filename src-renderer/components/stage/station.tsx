import { useCallback, useMemo, useRef, type ReactElement } from 'react';
import type { NetworkPlan } from '../../../src-shared/model/network';
import type { FrameView } from '../../frames/frame-store';
import { hasRoomForFates } from '../../draw/fate-marks';
import { boxTiles } from '../../scene/box-tiles';
import { formatScale } from '../../scene/numbers';
import type { Tiles } from '../../scene/tiles';
import { useWords } from '../live';
import { usePage } from '../page-context';
import { exampleValues, fatesThrough } from '../scope/error-fates';
import { scopeModelOf } from '../scope/scope-model';
import { setText } from '../set-text';
import type { Focus } from './focus';
import { Legend } from './legend';
import { StagePicture, type StageContent } from './stage-picture';
import { partText, type Station } from './stage-script';

/** Side of a picture, CSS pixels: a whole number of pixels a value for maps of 4, 8, 12 and 24. */
const BOX = 72;
/** The same where values of maps this large are marked one by one. */
const LARGE_BOX = 120;
const LARGEST_IN_BOX = 16;
const INSET = 36;

/** A place that values come from or go to: its picture, and in words what it is, how large, and its scale. */
export function StationView({
  station,
  plan,
  focus,
}: {
  station: Station;
  plan: NetworkPlan;
  focus: Focus;
}): ReactElement {
  const { title, quantity, part, inset, legend, source, fates, drawnShape } = station;
  const map = part === 'inputMap' ? focus.input : focus.map;
  const isLarge = fates.length > 0 && Math.max(...drawnShape.slice(1)) > LARGEST_IN_BOX;
  const box = isLarge ? LARGE_BOX : BOX;
  const pixelRatio = window.devicePixelRatio;
  const tiles = tilesOf(station, box, pixelRatio);
  const insetView = inset !== null && (
    <figure className="station-inset">
      <ValuesPicture
        station={station}
        source={{ name: inset.name, kind: 'output' }}
        fates={NO_LAYERS}
        plan={plan}
        map={map}
        label={`${inset.title} of the same values, on the way forward`}
        box={INSET}
      />
      <figcaption>
        {inset.title}
        <ScaleText name={inset.name} kind="output" />
      </figcaption>
    </figure>
  );
  return (
    <div className="station">
      <div className={isLarge ? 'station-row large' : 'station-row'}>
        <div className="station-box">
          <ValuesPicture
            station={station}
            source={source}
            fates={fates}
            plan={plan}
            map={map}
            label={`${title}: ${quantity}, ${partText(station, map)}`}
            box={box}
          />
        </div>
        <div className="station-words">
          <b>{title}</b>
          <span>{quantity}</span>
          <span>{partText(station, map)}</span>
          <ScaleText {...source} />
          {isLarge && insetView}
        </div>
        {!isLarge && insetView}
      </div>
      {hasRoomForFates({ tiles, pixelRatio }) && <Legend {...legend} />}
    </div>
  );
}

const NO_LAYERS: Station['fates'] = [];

function tilesOf({ part, drawnShape }: Station, box: number, pixelRatio: number): Tiles {
  const [count = 1, height = 1, width = 1] = drawnShape;
  return boxTiles({ count: part === 'all' ? count : 1, height, width }, box, pixelRatio);
}

/** More units than this are too small to outline one of them. */
const MOST_OUTLINED = 64;

function ValuesPicture({
  station,
  source: { name, kind },
  fates: through,
  plan,
  map,
  label,
  box,
}: {
  station: Station;
  source: Station['source'];
  fates: Station['fates'];
  plan: NetworkPlan;
  map: number;
  label: string;
  box: number;
}): ReactElement {
  const model = scopeModelOf(usePage());
  const pixelRatio = window.devicePixelRatio;
  const tiles = useMemo(() => tilesOf(station, box, pixelRatio), [station, box, pixelRatio]);
  const { part } = station;
  const size = tiles.kernelSize;
  const read = useCallback(
    (view: FrameView): StageContent => {
      const values = exampleValues(view, name, kind);
      const cut = <T extends Float32Array | Uint8Array>(list: T): T =>
        part === 'all' ? list : (list.subarray(map * size, (map + 1) * size) as T);
      const marks = through.length === 0 ? null : fatesThrough(view, plan, through);
      return {
        values: values === null ? null : cut(values),
        scale: model.mapScaleOf(name, kind).value,
        fates: values === null || marks === null ? null : { ...marks, fates: cut(marks.fates) },
      };
    },
    [model, plan, name, kind, part, map, size, through],
  );
  const isOutlined = station.hasChosen && box !== INSET && tiles.kernels <= MOST_OUTLINED;
  return (
    <StagePicture
      label={label}
      tiles={tiles}
      pixelRatio={pixelRatio}
      chosen={isOutlined ? map : null}
      read={read}
    />
  );
}

/** The end of the scale of a layer's pictures; nothing before anything but zero was seen. */
function ScaleText({ name, kind }: { name: string; kind: 'output' | 'error' }): ReactElement {
  const parts = usePage();
  const model = scopeModelOf(parts);
  const text = useRef<HTMLSpanElement>(null);
  useWords(() => {
    const view = model.refresh();
    const scale = model.mapScaleOf(name, kind);
    const isThere = exampleValues(view, name, kind) !== null;
    setText(text.current, isThere && scale.known ? `±${formatScale(scale.value)}` : '');
  });
  return <span ref={text} className="scale" />;
}
