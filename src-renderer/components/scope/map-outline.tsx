import type { ReactElement } from 'react';
import type { LayerPlan, NetworkPlan } from '../../../src-shared/model/network';
import { cssSize } from '../../scene/scope-layout';
import { rectsOf, type Tiles } from '../../scene/tiles';
import { standingLayer, type Standing } from '../../state/standing';
import { useApp } from '../../state/store';
import { useFocus } from '../stage/use-focus';
import type { MapSide } from './scope-model';

interface Placed {
  readonly tiles: Tiles;
  readonly pixelRatio: number;
}

/** Standing at a layer: the outline of the map that the stage shows, where its values have just been computed. */
export function MapOutline({
  layer,
  side,
  ...placed
}: Placed & { layer: string; side: MapSide }): ReactElement | null {
  const plan = useApp((state) => state.plan);
  const index = useApp((state) => standingLayer(state)?.index ?? null);
  const direction = useApp((state) => standingLayer(state)?.direction ?? null);
  const plans = index === null ? undefined : plan?.layers[index];
  if (plan === null || direction === null || plans?.spec.name !== layer) return null;
  if (side !== (direction === 'forward' ? 'output' : 'error')) return null;
  return <Outline plan={plan} layer={plans} direction={direction} {...placed} />;
}

function Outline({
  plan,
  layer,
  direction,
  tiles,
  pixelRatio,
}: Placed & {
  plan: NetworkPlan;
  layer: LayerPlan;
  direction: Standing['direction'];
}): ReactElement | null {
  const { map } = useFocus(plan, layer, direction);
  const rect = rectsOf(tiles, map)[0];
  if (rect === undefined) return null;
  const size = (pixels: number): number => cssSize(pixels, tiles, pixelRatio);
  return (
    <div
      className="outline chosen"
      style={{
        left: size(rect.x) - 2,
        top: size(rect.y) - 2,
        width: size(rect.width) + 4,
        height: size(rect.height) + 4,
      }}
    />
  );
}
