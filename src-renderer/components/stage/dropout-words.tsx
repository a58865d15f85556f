import { useRef, type ReactElement } from 'react';
import { maskShape } from '../../../src-shared/model/dropout-mask';
import { sizeOf, type LayerPlan } from '../../../src-shared/model/network';
import { formatSetting } from '../../scene/numbers';
import { useWords } from '../live';
import { usePage } from '../page-context';
import { exampleValues } from '../scope/error-fates';
import { keptText, MaskBoxes } from '../scope/mask-boxes';
import { setText } from '../set-text';

/** CSS pixels. */
const ROOM = 230;
const BOX_HEIGHT = 10;
/** More boxes than this are no longer seen one by one. */
const MOST_BOXES = 400;

/** What a dropout layer kept and dropped of the example, all in all and of the map that is shown. */
export function DropoutWords({ layer, map }: { layer: LayerPlan; map: number }): ReactElement {
  const { frames } = usePage();
  const kept = useRef<HTMLElement>(null);
  const own = useRef<HTMLParagraphElement>(null);
  const decides = sizeOf(maskShape(layer));
  useWords(() => {
    const view = frames.inWords();
    setText(kept.current, keptText(view, layer) ?? 'all: dropout is off in this run');
    setText(own.current, ownText(exampleValues(view, layer.spec.name, 'mask'), layer, map));
  });
  return (
    <div className="stage-mask">
      <div className="stage-line">
        <b>mask</b> <span>kept</span> <em ref={kept} />
      </div>
      {decides <= MOST_BOXES && <MaskBoxes layer={layer} width={ROOM} height={BOX_HEIGHT} />}
      <p ref={own} className="hint" />
    </div>
  );
}

/** What became of the map or unit that is shown. */
export function ownText(mask: Float32Array | null, { spec, outputShape }: LayerPlan, map: number): string {
  const [maps = 1] = outputShape;
  if (mask === null || spec.kind !== 'dropout') return '';
  const each = mask.length / maps;
  if (each > 1) {
    const ofMap = mask.subarray(map * each, (map + 1) * each);
    const kept = ofMap.filter((factor) => factor !== 0).length;
    return `Of map ${String(map)} it kept ${String(kept)} of ${String(each)} values.`;
  }
  const name = `${outputShape.length === 3 ? 'Map' : 'Unit'} ${String(map)}`;
  const factor = mask[map] ?? 0;
  return factor === 0
    ? `${name} was dropped: it gives 0, and no error comes back through it.`
    : `${name} was kept, times ${formatSetting(factor, 5)}.`;
}
