import { Fragment, type ReactElement } from 'react';
import type { LayerPlan } from '../../../src-shared/model/network';
import { LOSS_STEPS } from '../../scene/loss';
import { betweenName, planeSize } from '../../scene/network-rows';
import type { BetweenRowLayout } from '../../scene/scope-layout';
import { examplesUnderWay } from '../../state/standing';
import { useApp } from '../../state/store';
import { Active, DeadMaps, Kept, Losses, Means } from './between-facts';
import { showFreshness } from './kernel-picture';
import { mapFreshness, Maps } from './map-picture';
import { markAttributes, type RowMark } from './row-mark';
import type { MapSide } from './scope-model';

/** The layers without weights between two with: what they do to the digit or the example, in one line. */
export function BetweenRow({
  row,
  mark,
  pixelRatio,
}: {
  row: BetweenRowLayout;
  mark: RowMark;
  pixelRatio: number;
}): ReactElement {
  const { layers, loss } = row;
  const isInside = useApp(({ status }) => examplesUnderWay(status) !== null);
  const relu = layers.findLast(({ spec }) => spec.kind === 'relu' || spec.kind === 'leakyRelu') ?? null;
  const pool = layers.find(({ spec }) => spec.kind === 'maxPool2d' || spec.kind === 'averagePool2d') ?? null;
  const flatten = layers.find(({ spec }) => spec.kind === 'flatten') ?? null;
  const dropout = layers.find(({ spec }) => spec.kind === 'dropout') ?? null;
  const shown = lastShown(layers);
  // Outside a step means of the channels take the room of what dropout kept inside it, or of the count of dead maps.
  const meansOf = dropout !== null || (shown !== null && shown.outputShape.length === 1) ? shown : null;
  return (
    <div className="scope-row between" {...markAttributes(mark)}>
      <Names names={namesOf(row, mark)} />
      <div className="facts-line">
        {isInside && dropout !== null && <Kept layer={dropout} />}
        {!(isInside && dropout !== null) && meansOf !== null && (
          <Means layer={meansOf} pixelRatio={pixelRatio} />
        )}
        {relu !== null && <Active layer={relu} />}
        {relu?.spec.kind === 'relu' && meansOf === null && relu.outputShape.length === 3 && (
          <DeadMaps layer={relu} />
        )}
        {pool !== null && (
          <span>
            {planeSize(pool.inputShape)} to {planeSize(pool.outputShape)}
            {flatten !== null && ` to ${planeSize(flatten.outputShape)}`}
          </span>
        )}
        {pool === null && flatten !== null && <span>flatten to {planeSize(flatten.outputShape)}</span>}
        {!isInside && dropout !== null && <span>dropout off</span>}
        {loss !== null && <Losses loss={loss} />}
      </div>
      <FlowMark direction="down" />
      <div className="strip-maps">
        <StripMaps row={row} layer={stripLayer(row, mark, 'output')} side="output" pixelRatio={pixelRatio} />
      </div>
      <FlowMark direction="up" />
      <div className="strip-maps">
        <StripMaps row={row} layer={stripLayer(row, mark, 'error')} side="error" pixelRatio={pixelRatio} />
      </div>
    </div>
  );
}

/** The last of these layers whose output is watched: flatten and, for the digit, dropout only pass theirs on. */
const lastShown = (layers: readonly LayerPlan[]): LayerPlan | null =>
  layers.findLast(({ spec }) => spec.kind !== 'flatten' && spec.kind !== 'dropout') ?? null;

/** The layer of a row whose maps are shown: the one at which training stands, else the last. */
function stripLayer({ layers, strips }: BetweenRowLayout, mark: RowMark, side: MapSide): LayerPlan | null {
  const here = layers.find(({ index }) => index === mark.layer);
  if (here !== undefined && strips.has(here.index)) return here;
  const last = layers.at(-1);
  // The error that arrives here arrives flattened; that of the layer before flatten is not known yet.
  if (side === 'error' && mark.receives && last?.spec.kind === 'flatten') return last;
  return lastShown(layers);
}

function StripMaps({
  row: { strips },
  layer,
  side,
  pixelRatio,
}: {
  row: BetweenRowLayout;
  layer: LayerPlan | null;
  side: MapSide;
  pixelRatio: number;
}): ReactElement | null {
  const strip = layer === null ? undefined : strips.get(layer.index);
  if (layer === null || strip === undefined) return null;
  const { tiles, of } = strip;
  const part = tiles.kernels < of ? { title: `maps 0 to ${String(tiles.kernels - 1)} of ${String(of)}` } : {};
  return (
    <Maps
      key={layer.index}
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

interface Name {
  readonly text: string;
  readonly here: boolean;
}

/** More names than this do not fit when flatten, the last, is one of them. */
const MOST_NAMES = 3;

function namesOf({ layers, loss }: BetweenRowLayout, mark: RowMark): readonly Name[] {
  // Flatten only renames its input: it is named while training stands there.
  const names = layers
    .filter(({ spec, index }) => spec.kind !== 'flatten' || index === mark.layer)
    .map((layer) => ({ text: betweenName(layer), here: layer.index === mark.layer }));
  const here = mark.standing === 'here' && mark.layer === null;
  if (loss !== null) names.push(...LOSS_STEPS[loss].map((text) => ({ text, here })));
  return names.length > MOST_NAMES ? [{ text: '…', here: false }, ...names.slice(1 - MOST_NAMES)] : names;
}

const Names = ({ names }: { names: readonly Name[] }): ReactElement => (
  <div className="names">
    {names.map((name, index) => (
      <Fragment key={index}>
        {index > 0 && <Chevron />}
        <span className={name.here ? 'here' : undefined}>{name.text}</span>
      </Fragment>
    ))}
  </div>
);

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
