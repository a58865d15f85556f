import { useCallback, useMemo, useRef, type ReactElement } from 'react';
import type { NetworkPlan } from '../../../src-shared/model/network';
import type { FrameView } from '../../frames/frame-store';
import { boxTiles } from '../../scene/box-tiles';
import { formatScale } from '../../scene/numbers';
import { useApp } from '../../state/store';
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
  const { title, quantity, part, inset, legend } = station;
  const map = part === 'inputMap' ? focus.input : focus.map;
  const name = `${title}: ${quantity}, ${partText(station, map)}`;
  return (
    <div className="station">
      <div className="station-row">
        <div className="station-box">
          <ValuesPicture station={station} plan={plan} map={map} label={name} box={BOX} />
        </div>
        <div className="station-words">
          <b>{title}</b>
          <span>{quantity}</span>
          <span>{partText(station, map)}</span>
          <ScaleText name={station.source.name} kind={station.source.kind} />
        </div>
        {inset !== null && (
          <figure className="station-inset">
            <ValuesPicture
              station={{ ...station, source: { name: inset.name, kind: 'output' }, fates: [] }}
              plan={plan}
              map={map}
              label={`${inset.title} of the same map`}
              box={INSET}
            />
            <figcaption>
              {inset.title}
              <ScaleText name={inset.name} kind="output" />
            </figcaption>
          </figure>
        )}
      </div>
      <Legend {...legend} />
    </div>
  );
}

function ValuesPicture({
  station: { source, shape, part, fates: through },
  plan,
  map,
  label,
  box,
}: {
  station: Station;
  plan: NetworkPlan;
  map: number;
  label: string;
  box: number;
}): ReactElement {
  const model = scopeModelOf(usePage());
  const pixelRatio = window.devicePixelRatio;
  const [count = 1, height = 1, width = 1] = shape;
  const tiles = useMemo(
    () => boxTiles({ count: part === 'all' ? count : 1, height, width }, box, pixelRatio),
    [part, count, height, width, box, pixelRatio],
  );
  const { name, kind } = source;
  const read = useCallback(
    (view: FrameView): StageContent => {
      const values = exampleValues(view, name, kind);
      const size = height * width;
      const cut = <T extends Float32Array | Uint8Array>(list: T): T =>
        part === 'all' ? list : (list.subarray(map * size, (map + 1) * size) as T);
      const fates = through.length === 0 ? null : fatesThrough(view, plan, through);
      return {
        values: values === null ? null : cut(values),
        scale: model.mapScaleOf(name, kind).value,
        fates: values === null || fates === null ? null : { ...fates, fates: cut(fates.fates) },
      };
    },
    [model, plan, name, kind, part, map, height, width, through],
  );
  const units = part === 'all' && height * width === 1;
  const chosen = useApp(({ view }) => view.selection) !== null && units && count <= 64 ? map : null;
  return (
    <StagePicture
      label={label}
      tiles={tiles}
      pixelRatio={pixelRatio}
      chosen={units && map < count ? chosen : null}
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
