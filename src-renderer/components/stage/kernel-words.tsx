import { useCallback, useMemo, useRef, type ReactElement } from 'react';
import type { LayerPlan, NetworkPlan } from '../../../src-shared/model/network';
import type { FrameView } from '../../frames/frame-store';
import { boxTiles } from '../../scene/box-tiles';
import { kernelNumber, kernelShape, type LayerRow } from '../../scene/network-rows';
import { formatNumber, formatScale } from '../../scene/numbers';
import { norm } from '../../scene/statistics';
import { KernelTable, KernelTitle } from '../inspector/kernel-table';
import { useWords } from '../live';
import { usePage } from '../page-context';
import { isBlank, kernelValues, scopeModelOf, type KernelKind } from '../scope/scope-model';
import { setText } from '../set-text';
import { selectionFor, type Focus } from './focus';
import { StagePicture, type StageContent } from './stage-picture';
import { mapsBehind } from './stage-script';

/** Kernels of more values than this a side are a picture. */
const LARGEST_TABLE = 7;
const BOX = 72;
const NOTHING: StageContent = { values: null, scale: 1, fates: null };

/** Forward the weights that made the map, backward their gradient: what the error and the input made of it. */
export function KernelWords({
  plan,
  layer,
  direction,
  focus,
}: {
  plan: NetworkPlan;
  layer: LayerPlan;
  direction: 'forward' | 'backward';
  focus: Focus;
}): ReactElement | null {
  const { owner, map } = focus;
  if (owner === null || owner.layer.index !== layer.index) return null;
  const kind = direction === 'forward' ? 'weight' : 'gradient';
  const selection = selectionFor(focus, owner, map);
  const { inputs, height, width } = kernelShape(owner.weight.shape);
  if (inputs === null || Math.max(height, width) > LARGEST_TABLE) {
    return <KernelPicture plan={plan} owner={owner} kind={kind} focus={focus} />;
  }
  const place = `filter ${String(map)}, input ${String(selection.input)}`;
  return (
    <div className="stage-kernel">
      <KernelTitle kind={kind} row={owner} selection={selection} />
      <KernelTable kind={kind} row={owner} selection={selection} />
      <p className="hint">
        {place}
        {kind === 'gradient' && '; the sum of error × input'}
      </p>
    </div>
  );
}

function KernelPicture({
  plan,
  owner,
  kind,
  focus,
}: {
  plan: NetworkPlan;
  owner: LayerRow;
  kind: KernelKind;
  focus: Focus;
}): ReactElement {
  const parts = usePage();
  const model = scopeModelOf(parts);
  const words = useRef<HTMLSpanElement>(null);
  const pixelRatio = window.devicePixelRatio;
  const { layer, weight } = owner;
  const { height, width } = kernelShape(weight.shape);
  const isUnit = layer.outputShape.length === 1;
  const maps = mapsBehind(plan, layer);
  const tiles = useMemo(() => {
    const [count = 1, mapHeight = 1, mapWidth = 1] = maps ?? [width];
    const content = isUnit ? { count, height: mapHeight, width: mapWidth } : { count: 1, height, width };
    return boxTiles(content, BOX, pixelRatio);
  }, [maps, isUnit, height, width, pixelRatio]);
  const { filter, input } = selectionFor(focus, owner, focus.map);
  const read = useCallback(
    (view: FrameView): StageContent => {
      const selection = { layer: layer.spec.name, filter, input };
      const kernel = kernelValues(view, owner, kind, selection);
      const number = kernelNumber(kernelShape(weight.shape), selection);
      return {
        values: kernel === null || isBlank(kernel.slot) ? null : kernel.values,
        scale: model.scaleOf(weight.name, kind, number).value,
        fates: null,
      };
    },
    [model, owner, kind, layer, weight, filter, input],
  );
  useWords(() => {
    const view = model.refresh();
    const { values, scale } = view === null ? NOTHING : read(view);
    setText(
      words.current,
      values === null ? '' : `norm ${formatNumber(norm(values))}, ±${formatScale(scale)}`,
    );
  });
  const symbol = kind === 'weight' ? 'W' : 'g';
  const title = `${symbol} of ${isUnit ? 'unit' : 'filter'} ${String(filter)}`;
  return (
    <div className="station">
      <div className="station-row">
        <div className="station-box">
          <StagePicture
            label={`${title} of ${layer.spec.name}`}
            tiles={tiles}
            pixelRatio={pixelRatio}
            read={read}
          />
        </div>
        <div className="station-words">
          <b>{title}</b>
          <span>
            {kind === 'weight'
              ? `one weight for each of ${String(width)} inputs`
              : 'error × input, summed over the minibatch'}
          </span>
          <span ref={words} className="scale" />
        </div>
      </div>
    </div>
  );
}
