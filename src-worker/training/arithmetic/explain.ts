import { type LayerPlan, type ParameterPlan, sizeOf } from '../../../src-shared/model/network';
import type { StateSlot } from '../../../src-shared/model/optimiser';
import { GradscopeError } from '../../../src-shared/protocol/errors';
import { shorten } from '../../../src-shared/text/shorten';
import type { ExplainedKind, Explanation } from '../../../src-shared/protocol/explanation';
import { toWireNumber } from '../../../src-shared/protocol/wire-number';
import { gatherMinibatch, normalisation } from '../../data/dataset';
import type { DigitProbe } from '../../probe/digit';
import type { Session } from '../session';
import { explainError } from './error';
import { explainGradient, type GradientSource } from './gradient';
import type { Explained } from './explained';
import { explainOutput } from './output';
import { digitValues, exampleValues } from './sources';
import { explainUpdate } from './update';

export interface Question {
  /** Of a parameter (`gradient`, `update`) or of a layer. */
  readonly name: string;
  readonly kind: ExplainedKind;
  /** Flat; of outputs and errors within one example. */
  readonly index: number;
  /** Of the minibatch, for `output` and `error`. */
  readonly example: number;
}

/**
 * How one value came about: the same arithmetic done again in float64, from copies of what the engine holds. Nothing of the
 * run is changed. Training must stand.
 * @throws GradscopeError `unknown-tensor`, `unknown-image`, `not-now` when it is not computed (any more)
 */
export function explain(session: Session, digit: DigitProbe, question: Question): Explained {
  const explained = answer(session, digit, question);
  return { ...explained, explanation: forTheWire(explained.explanation) };
}

function answer(session: Session, digit: DigitProbe, { name, kind, index, example }: Question): Explained {
  const { plan } = session;
  if (kind === 'gradient' || kind === 'update') {
    const parameter = plan.parameters.find((each) => each.name === name);
    if (parameter === undefined) throw unknown('parameter', name);
    refuseBeyond(name, index, parameter.size);
    return {
      explanation:
        kind === 'update' ? update(session, parameter, index) : gradient(session, parameter, index),
      arrays: [],
    };
  }
  const layer = plan.layers.find(({ spec }) => spec.name === name);
  if (layer === undefined) throw unknown('layer', name);
  refuseBeyond(name, index, sizeOf(layer.outputShape));
  const isError = kind === 'error' || kind === 'digitError';
  const values =
    kind === 'output' || kind === 'error'
      ? exampleValues(session, example)
      : digitValues(session, digit, isError);
  return isError ? explainError(plan, layer, index, values) : explainOutput(layer, index, values);
}

function gradient(session: Session, parameter: ParameterPlan, index: number): Explanation {
  const layer = session.plan.layers[parameter.layerIndex]!;
  return explainGradient(layer, parameter, index, gradientSource(session, layer, parameter));
}

function gradientSource(session: Session, layer: LayerPlan, parameter: ParameterPlan): GradientSource {
  const { plan, dataset, recipe } = session;
  const held = session.mirror(parameter.name).gradient;
  if (held.freshness === 'notYet' || held.freshness === 'cleared') {
    const why =
      held.freshness === 'cleared' ? 'cleared and not computed yet in this step' : 'not computed yet';
    throw new GradscopeError('not-now', `The gradient of ${parameter.name} is ${why}.`);
  }
  const gone = new GradscopeError(
    'not-now',
    `The gradient of ${parameter.name} is of step ${String(held.step)}, whose minibatch is not held any more; step once to hold one.`,
  );
  if (session.minibatch?.step !== held.step) throw gone;
  const { indices } = session.minibatch;
  const before = plan.layers[layer.index - 1];
  try {
    const error = session.readLayer(layer.spec.name, 'error').values;
    const input =
      before === undefined
        ? gatherMinibatch(dataset, dataset.train, indices, normalisation(recipe.input)).images
        : session.readLayer(before.spec.name, 'activation').values;
    return { n: indices.length, input, error, gradient: held.values, step: held.step };
  } catch (cause) {
    // A minibatch that was given up takes the one before with it.
    if (cause instanceof GradscopeError && cause.code === 'not-now') throw gone;
    throw cause;
  }
}

function update(session: Session, parameter: ParameterPlan, index: number): Explanation {
  const parts = session.lastUpdate(parameter.name);
  if (parts === null) {
    const why =
      session.step === 0 ? 'There was no update yet' : 'The weights were replaced since the last update';
    throw new GradscopeError('not-now', `${why}, so what ${parameter.name} was made of is not known.`);
  }
  const after = (slot: StateSlot): Float32Array => {
    const values = new Float32Array(parameter.size);
    session.network.readParameter(parameter, slot, values);
    return values;
  };
  return explainUpdate(session.recipe.optimiser, parts, after, index);
}

function refuseBeyond(name: string, index: number, size: number): void {
  if (index < size) return;
  const found = `${name} has ${String(size)} values`;
  throw new GradscopeError('unknown-tensor', `${found} and none at ${String(index)}.`);
}

const unknown = (what: string, name: string): GradscopeError =>
  new GradscopeError('unknown-tensor', `There is no ${what} called ${shorten(name, 60)}.`);

/** Every NaN and infinity as its word. */
function forTheWire(explanation: Explanation): Explanation {
  const words = (value: unknown): unknown => {
    if (typeof value === 'number') return toWireNumber(value);
    if (Array.isArray(value)) return value.map(words);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, words(each)]));
  };
  return words(explanation) as Explanation;
}
