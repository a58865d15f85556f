import type { LayerPlan, LayerSpecOf, NetworkPlan } from '../../../src-shared/model/network';
import { betweenName, planeSize, shapeText } from '../../scene/network-rows';
import { formatSetting } from '../../scene/numbers';
import { followers, inputName } from '../scope/error-fates';

/** One place that values come from or go to, with its picture. */
export interface Station {
  readonly title: string;
  /** What its values are: `dL/d output`. */
  readonly quantity: string;
  /** As it is watched. */
  readonly source: { readonly name: string; readonly kind: 'output' | 'error' };
  /** Of all of them. */
  readonly shape: readonly number[];
  /** As it is drawn: flattened maps are still maps to the eye. */
  readonly drawnShape: readonly number[];
  /** The one chosen map of the layer or of its input, or everything there is. */
  readonly part: 'map' | 'inputMap' | 'all';
  /** Everything is shown and one of it is the chosen unit. */
  readonly hasChosen: boolean;
  /** Layers that say which of the values won, were stopped or dropped. */
  readonly fates: readonly LayerPlan[];
  /** What the marks mean here. */
  readonly legend: {
    readonly outline: string | null;
    readonly cross: string | null;
    readonly box: string | null;
  };
  /** The values that went forward here, small beside the error. */
  readonly inset: { readonly title: string; readonly name: string } | null;
}

/** What happens at a layer: from `top`, which is nearer the image, to `bottom`, or on the way back from `bottom` to `top`. */
export interface StageScript {
  readonly top: Station | null;
  /** What the layer does in between. */
  readonly does: string;
  readonly bottom: Station;
}

const NO_LEGEND = { outline: null, cross: null, box: null } as const;

export function stageScript(
  plan: NetworkPlan,
  layer: LayerPlan,
  direction: 'forward' | 'backward',
): StageScript {
  const forward = direction === 'forward';
  const kind = forward ? 'output' : 'error';
  const isWhole = layer.inputShape.length === 1 || layer.outputShape.length === 1;
  const hasWeights = layer.parameters.length > 0;
  // Sigmoid and tanh: the slope that the error is multiplied by follows from the output.
  const hasSlope = layer.spec.kind === 'sigmoid' || layer.spec.kind === 'tanh';
  const own = layer.spec.kind === 'relu' || layer.spec.kind === 'maxPool2d' ? [layer] : [];
  const after = !forward && hasWeights ? followers(plan, layer) : [];
  const input = inputName(plan, layer);
  const top: Station = {
    title: forward ? 'What comes in' : 'Error it passes on',
    quantity: forward ? (input === 'input' ? 'the image' : `output of ${input}`) : 'dL/d input',
    source: { name: input, kind },
    shape: layer.inputShape,
    drawnShape: mapsBehind(plan, layer) ?? layer.inputShape,
    part: isWhole ? 'all' : hasWeights ? 'inputMap' : 'map',
    hasChosen: isWhole && !hasWeights && layer.spec.kind !== 'flatten',
    fates: own,
    legend: ownLegend(layer, direction),
    inset: !forward && own.length > 0 ? { title: 'input', name: input } : null,
  };
  const bottom: Station = {
    title: forward ? 'What goes out' : 'Error that arrived',
    quantity: forward ? 'output' : 'dL/d output',
    source: { name: layer.spec.name, kind },
    shape: layer.outputShape,
    drawnShape: layer.outputShape,
    part: isWhole ? 'all' : 'map',
    hasChosen: isWhole && layer.spec.kind !== 'flatten',
    fates: after,
    legend: followersLegend(after),
    inset: !forward && (hasWeights || hasSlope) ? { title: 'output', name: layer.spec.name } : null,
  };
  // Nothing needs the error of the image, so none is computed.
  return { top: !forward && input === 'input' ? null : top, does: doing(layer, direction), bottom };
}

/** The maps that a dense layer reads flattened; null where it reads no maps. */
export function mapsBehind({ layers }: NetworkPlan, { spec, index }: LayerPlan): readonly number[] | null {
  const before = layers[index - 1];
  return spec.kind === 'dense' && before?.spec.kind === 'flatten' ? before.inputShape : null;
}

function ownLegend({ spec }: LayerPlan, direction: 'forward' | 'backward'): Station['legend'] {
  switch (spec.kind) {
    case 'maxPool2d':
      return { ...NO_LEGEND, outline: `largest of ${windowWords(spec)}` };
    case 'relu':
      return {
        ...NO_LEGEND,
        cross: direction === 'forward' ? 'not above 0: becomes 0' : 'stopped: the input was not above 0',
      };
    default:
      return NO_LEGEND;
  }
}

function followersLegend(after: readonly LayerPlan[]): Station['legend'] {
  const pool = after.find(({ spec }) => spec.kind === 'maxPool2d');
  const hasRelu = after.some(({ spec }) => spec.kind === 'relu');
  const dropsUnits = after.some(
    ({ spec, outputShape }) => spec.kind === 'dropout' && outputShape.length === 1,
  );
  if (pool?.spec.kind !== 'maxPool2d') {
    return { outline: null, cross: hasRelu ? 'stopped by ReLU' : null, box: dropsUnits ? 'dropped' : null };
  }
  return {
    outline: `won ${windowWords(pool.spec)}`,
    cross: hasRelu ? 'won, but stopped by ReLU' : null,
    box: null,
  };
}

function doing(layer: LayerPlan, direction: 'forward' | 'backward'): string {
  const forward = direction === 'forward';
  const { spec, inputShape, outputShape } = layer;
  const [inputs = 1] = inputShape;
  const [outputs = 1] = outputShape;
  switch (spec.kind) {
    case 'conv2d': {
      const all = inputs === 1 ? 'the image' : `all ${String(inputs)} maps`;
      if (forward) {
        return `${square(spec.kernelSize)} kernels slide over ${all}${stepWords(spec, 1)}; the sum, plus bias`;
      }
      return layer.index === 0
        ? 'The image needs no error: it ends here, in the gradient'
        : `each error goes back over ${square(spec.kernelSize)} inputs, times the kernels`;
    }
    case 'dense':
      return forward
        ? `each unit: weighted sum of all ${String(inputs)} inputs, plus bias`
        : `each input: sum over ${String(outputs)} units of error × weight`;
    case 'maxPool2d':
      return forward
        ? `keeps the largest of each ${square(spec.size)}${stepWords(spec, spec.size)}`
        : `max-${betweenName(layer)} sends it to the winner only; the others get 0`;
    case 'averagePool2d':
      return forward
        ? `mean of each ${square(spec.size)}${stepWords(spec, spec.size)}`
        : `each value gets its share, 1/${String(spec.size ** 2)}, of the error of every window it is in`;
    case 'leakyRelu':
      return forward
        ? `lets through what is above 0, the rest times ${formatSetting(spec.slope)}`
        : `passes it on where its input was above 0, elsewhere times ${formatSetting(spec.slope)}`;
    case 'sigmoid':
      return forward ? 'y = 1 / (1 + exp(−x)): between 0 and 1' : 'times the slope there, y (1 − y)';
    case 'tanh':
      return forward ? 'y = tanh(x): between −1 and 1' : 'times the slope there, 1 − y²';
    case 'relu':
      return forward
        ? 'ReLU lets through what is above 0'
        : 'ReLU passes it on only where its input was above 0';
    case 'dropout':
      return dropping(spec, forward);
    case 'flatten':
      return `the same ${forward ? 'numbers' : 'errors'} in another shape: ${
        forward ? planeText(inputShape, outputShape) : planeText(outputShape, inputShape)
      }`;
  }
}

function dropping({ rate, unit }: Extract<LayerPlan['spec'], { kind: 'dropout' }>, forward: boolean): string {
  const factor = formatSetting(1 / (1 - rate), 5);
  const what = unit === 'channel' ? 'map' : 'value';
  return forward
    ? `kept ${what}s times 1/(1 − ${formatSetting(rate)}) = ${factor}, dropped ones 0`
    : `error of kept ${what}s times ${factor}; of dropped ones 0`;
}

const planeText = (from: readonly number[], to: readonly number[]): string =>
  `${shapeText(from)} to ${shapeText(to)}`;

/** `its 2 × 2` where a value is in one window only. */
const windowWords = ({ size, stride }: LayerSpecOf<'maxPool2d'>): string =>
  `${stride < size ? 'a' : 'its'} ${square(size)}`;

/** `, 2 apart, with a border of 1 zero`: what is not as without a word. */
function stepWords(
  { kind, stride, padding }: LayerSpecOf<'conv2d' | 'maxPool2d' | 'averagePool2d'>,
  usual: number,
): string {
  const apart = stride === usual ? '' : `, ${String(stride)} apart`;
  const zeros = padding === 1 ? '1 zero' : `${String(padding)} zeros`;
  return apart + (padding === 0 || kind === 'maxPool2d' ? '' : `, with a border of ${zeros}`);
}

/** With spaces at which no line breaks. */
const square = (size: number): string => unbroken(`${String(size)} × ${String(size)}`);
const unbroken = (text: string): string => text.replaceAll(' × ', '\u00a0×\u00a0');

/** `map 3 of 20, 8 × 8`, `320 units`, `20 × 4 × 4`. */
export function partText(
  { part, shape, drawnShape }: Pick<Station, 'part' | 'shape' | 'drawnShape'>,
  map: number,
): string {
  const [count = 1] = shape;
  if (shape.length === 1) {
    return `${String(count)} units${drawnShape.length > 1 ? `, as ${shapeText(drawnShape)}` : ''}`;
  }
  if (part === 'all') return shapeText(shape);
  const which = count === 1 ? '' : `map ${String(map)} of ${String(count)}, `;
  return `${which}${unbroken(planeSize(shape))}`;
}
