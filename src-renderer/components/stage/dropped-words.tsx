import { useRef, type ReactElement } from 'react';
import type { LayerPlan, NetworkPlan } from '../../../src-shared/model/network';
import { formatCount, formatSetting } from '../../scene/numbers';
import { useApp } from '../../state/store';
import { useWords } from '../live';
import { usePage } from '../page-context';
import { exampleValues } from '../scope/error-fates';
import { setText } from '../set-text';

type Direction = 'forward' | 'backward';

/**
 * The dropout layers that decide about the maps (or units) of `layer`, in the order of the network: those between the last
 * layer with weights and the next one, `layer` itself left out, which have as many maps.
 */
export function droppersOf({ layers }: NetworkPlan, layer: LayerPlan): readonly LayerPlan[] {
  const shape = layer.spec.kind === 'flatten' ? layer.inputShape : layer.outputShape;
  const hasWeights = ({ parameters }: LayerPlan): boolean => parameters.length > 0;
  const end = layers.findIndex((one) => one.index > layer.index && hasWeights(one));
  const start = layers.findLastIndex((one) => one.index <= layer.index && hasWeights(one));
  return layers
    .slice(Math.max(0, start), end < 0 ? layers.length : end)
    .filter(
      ({ spec, index, outputShape }) =>
        spec.kind === 'dropout' &&
        index !== layer.index &&
        outputShape.length === shape.length &&
        outputShape[0] === shape[0],
    );
}

/** What a dropout layer does to the map (or unit) that is shown, on the way there or on the way back. */
export function droppedSentence(
  mask: Float32Array,
  { spec: { name }, outputShape }: LayerPlan,
  map: number,
  direction: Direction,
): string {
  const [maps = 1] = outputShape;
  const each = mask.length / maps;
  const what = outputShape.length === 3 ? 'map' : 'unit';
  if (each > 1) {
    const kept = mask.subarray(map * each, (map + 1) * each).filter((factor) => factor !== 0).length;
    return `Of map ${String(map)}, ${name} kept ${formatCount(kept)} of ${formatCount(each)} values.`;
  }
  const factor = mask[map] ?? 0;
  const subject = `${what === 'map' ? 'Map' : 'Unit'} ${String(map)}`;
  if (factor === 0) {
    const so = direction === 'forward' ? 'it gives 0 from there on' : 'no error comes back through it';
    return `${subject} was dropped by ${name}: ${so}.`;
  }
  const times = formatSetting(factor, 5);
  return direction === 'forward'
    ? `${subject} was kept by ${name}, times ${times}.`
    : `${subject} was kept by ${name}: its error comes back times ${times}.`;
}

/** Whether the map (or unit) on the stage was dropped or kept, at every layer to which that matters. */
export function DroppedWords({
  layer,
  direction,
  map,
}: {
  layer: LayerPlan;
  direction: Direction;
  map: number;
}): ReactElement | null {
  const plan = useApp((state) => state.plan);
  const droppers = plan === null ? [] : droppersOf(plan, layer);
  return droppers.length === 0 ? null : (
    <>
      {droppers.map((dropper) => (
        <Sentence key={dropper.index} dropper={dropper} direction={direction} map={map} />
      ))}
    </>
  );
}

function Sentence({
  dropper,
  direction,
  map,
}: {
  dropper: LayerPlan;
  direction: Direction;
  map: number;
}): ReactElement {
  const { frames } = usePage();
  const text = useRef<HTMLParagraphElement>(null);
  useWords(() => {
    const mask = exampleValues(frames.inWords(), dropper.spec.name, 'mask');
    setText(text.current, mask === null ? '' : droppedSentence(mask, dropper, map, direction));
  });
  return <p ref={text} className="hint dropped" />;
}
