import { type LayerPlan, sizeOf } from '../../../src-shared/model/network';
import { GradscopeError } from '../../../src-shared/protocol/errors';
import type { DigitProbe } from '../../probe/digit';
import { INPUT, OUTPUT } from '../../probe/layout';
import type { Session } from '../session';

/** One example on its way through the network and back: copies, channel first, read when asked for. */
export interface ExampleValues {
  /** Step the values belong to. */
  readonly step: number;
  /** Examples that the loss is the mean of. */
  readonly examples: number;
  readonly label: number;
  /** Of the layer: the output of the one before it, or the image. */
  input(layer: LayerPlan): Float32Array;
  output(layer: LayerPlan): Float32Array;
  /** dL/d output */
  error(layer: LayerPlan): Float32Array;
  /** Factors of a dropout layer; null where dropout is off. */
  mask(layer: LayerPlan): Float32Array | null;
  /** softmax of the logits */
  probabilities(): Float32Array;
  /** A parameter as it was when the values were computed. */
  parameter(name: string): Float32Array;
}

/**
 * An example of the minibatch under way.
 * @throws GradscopeError `not-now` when training stands inside no step, `unknown-image` when the minibatch has no such example;
 * the values themselves throw `not-now` when they are not computed yet
 */
export function exampleValues(session: Session, example: number): ExampleValues {
  const { inStep, minibatch, plan, dataset } = session;
  if (!inStep || minibatch === null) {
    throw new GradscopeError(
      'not-now',
      'Training stands between two minibatches, so no example is under way.',
    );
  }
  const { step, indices } = minibatch;
  const image = indices[example];
  if (image === undefined) {
    const expected = `This minibatch has examples 0 to ${String(indices.length - 1)}`;
    throw new GradscopeError('unknown-image', `${expected}, but number ${String(example)} was asked for.`);
  }
  const read = (name: string, kind: 'activation' | 'error'): Float32Array => {
    const found = session.readExample(name, kind, example);
    if (found === null) {
      const what = kind === 'error' ? 'error' : 'output';
      throw new GradscopeError('not-now', `The ${what} of ${name} is not computed yet in this step.`);
    }
    return found.values;
  };
  return {
    step,
    examples: indices.length,
    label: dataset.train.labels[image] ?? 0,
    input: (layer) => read(plan.layers[layer.index - 1]?.spec.name ?? INPUT, 'activation'),
    output: (layer) => read(layer.spec.name, 'activation'),
    error: (layer) => read(layer.spec.name, 'error'),
    mask: (layer) => session.readExample(layer.spec.name, 'mask', example)?.values ?? null,
    probabilities: () => {
      const all = new Float32Array(indices.length * plan.classes);
      session.pass.readProbabilities(all);
      return all.subarray(example * plan.classes, (example + 1) * plan.classes);
    },
    parameter: (name) => session.mirror(name).weight.values,
  };
}

/** The chosen digit with the weights as they are, computed anew where that is due. Dropout is off. */
export function digitValues(session: Session, digit: DigitProbe, withError: boolean): ExampleValues {
  digit.update({ errors: withError, saliencies: new Set() }, true);
  const { plan } = session;
  const read = (name: string, kind: 'digitOutput' | 'digitError', shape: readonly number[]): Float32Array =>
    digit.read({ name, kind, shape: [...shape] }).slice();
  return {
    step: session.step,
    examples: 1,
    label: digit.errorLabel,
    input: (layer) => {
      const before = plan.layers[layer.index - 1];
      return read(before?.spec.name ?? INPUT, 'digitOutput', layer.inputShape);
    },
    output: (layer) => read(layer.spec.name, 'digitOutput', layer.outputShape),
    error: (layer) => read(layer.spec.name, 'digitError', layer.outputShape),
    mask: () => null,
    probabilities: () =>
      digit.read({ name: OUTPUT, kind: 'digitProbabilities', shape: [sizeOf([plan.classes])] }).slice(),
    parameter: (name) => session.mirror(name).weight.values,
  };
}
