import { useMemo, type ReactElement } from 'react';
import type { LayerPlan, NetworkPlan } from '../../../src-shared/model/network';
import { standingLayer, type Standing } from '../../state/standing';
import { useApp } from '../../state/store';
import { keyHint } from '../keymap';
import { usePage } from '../page-context';
import { ToolButton } from '../rail/tool-button';
import { DropoutWords } from './dropout-words';
import { DroppedWords } from './dropped-words';
import type { Focus } from './focus';
import { KernelWords } from './kernel-words';
import './stage.css';
import { stageScript } from './stage-script';
import { StationView } from './station';
import { useFocus } from './use-focus';

/** The layer at which training stands: what comes to it, what it does with it, what leaves it, and which way. */
export function LayerStage(): ReactElement | null {
  const plan = useApp((state) => state.plan);
  const index = useApp((state) => standingLayer(state)?.index ?? null);
  const direction = useApp((state) => standingLayer(state)?.direction ?? null);
  const layer = index === null ? undefined : plan?.layers[index];
  if (plan === null || layer === undefined || direction === null) return null;
  return <Standpoint plan={plan} layer={layer} direction={direction} />;
}

function Standpoint({
  plan,
  layer,
  direction,
}: {
  plan: NetworkPlan;
  layer: LayerPlan;
  direction: Standing['direction'];
}): ReactElement {
  const focus = useFocus(plan, layer, direction);
  const script = useMemo(() => stageScript(plan, layer, direction), [plan, layer, direction]);
  const { top, does, bottom } = script;
  const hasTable = layer.spec.kind === 'conv2d';
  const isUnit = bottom.shape.length === 1 && layer.spec.kind !== 'flatten';
  return (
    <div className="stage">
      <h2>
        Standing at {layer.spec.name}, {direction}
        <MapChooser focus={focus} what={isUnit ? 'unit' : 'map'} />
      </h2>
      {top !== null && <StationView station={top} plan={plan} focus={focus} compact={hasTable} />}
      <div className="stage-flow">
        <FlowArrow direction={direction} />
        <p>{does}</p>
      </div>
      <StationView station={bottom} plan={plan} focus={focus} compact={hasTable} />
      <DroppedWords layer={layer} direction={direction} map={focus.map} />
      {layer.spec.kind === 'dropout' && <DropoutWords layer={layer} map={focus.map} />}
      {layer.parameters.length > 0 && (
        <KernelWords plan={plan} layer={layer} direction={direction} focus={focus} />
      )}
    </div>
  );
}

function MapChooser({ focus, what }: { focus: Focus; what: 'map' | 'unit' }): ReactElement {
  const { commands } = usePage();
  const { owner, map, maps } = focus;
  return (
    <span className="map-chooser">
      <em>
        {what} {map}
      </em>
      {owner !== null && maps > 1 && (
        <>
          <ToolButton
            label={`Previous ${what}`}
            hint={keyHint('previousMap')}
            onPress={() => {
              commands.nextMap(-1);
            }}
          >
            ‹
          </ToolButton>
          <ToolButton
            label={`Next ${what}`}
            hint={keyHint('nextMap')}
            onPress={() => {
              commands.nextMap(1);
            }}
          >
            ›
          </ToolButton>
        </>
      )}
    </span>
  );
}

/** Lime: it is the direction in which training goes now. */
const FlowArrow = ({ direction }: { direction: Standing['direction'] }): ReactElement => (
  <svg viewBox="0 0 14 22" role="img" aria-label={direction === 'forward' ? 'flows down' : 'flows back up'}>
    <path d={direction === 'forward' ? 'M7 1v19M2 15l5 5.5 5-5.5' : 'M7 21V2M2 7l5-5.5 5 5.5'} />
  </svg>
);
