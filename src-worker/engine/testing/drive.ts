import type { LayerPlan, NetworkPlan } from '../../../src-shared/model/network';
import { sizeOf } from '../../../src-shared/model/network';
import { toUnitInterval, fillWords } from '../../../src-shared/tensor/random';
import type { OptimiserSpecOf, StateSlot } from '../../../src-shared/model/optimiser';
import type { EngineNetwork, ForwardContext, OptimiserSettings, ParameterTensor, Pass } from '../engine';

/** A minibatch for tests, with the factors of each dropout layer that is on, by the layer's name. */
export interface Minibatch {
  readonly n: number;
  readonly images: Float32Array;
  readonly labels: Uint8Array;
  readonly masks: ReadonlyMap<string, Float32Array>;
}

export const contextOf = (batch: Minibatch): ForwardContext => ({
  mask: (layer) => batch.masks.get(layer.spec.name) ?? null,
});

export function forwardAll(
  pass: Pass,
  plan: NetworkPlan,
  batch: Minibatch,
): { readonly loss: number; readonly correct: number } {
  pass.load(batch.images, batch.labels, batch.n);
  for (const layer of plan.layers) pass.forward(layer, contextOf(batch));
  return pass.loss();
}

export function backwardAll(pass: Pass, plan: NetworkPlan): void {
  for (const layer of [...plan.layers].reverse()) pass.backward(layer, { parameters: true });
}

/** SGD with momentum alone, as in the paper's recipes. */
export const sgd = (learningRate: number, momentum: number): OptimiserSpecOf<'sgd'> => ({
  kind: 'sgd',
  learningRate,
  momentum,
  nesterov: false,
  weightDecay: 0,
});

/** One whole training step; its loss is that before the update. @param count see EngineNetwork.update */
export function trainStep(
  network: EngineNetwork,
  pass: Pass,
  batch: Minibatch,
  settings: OptimiserSettings,
  count = 1,
): number {
  network.zeroGradients();
  const { loss } = forwardAll(pass, network.plan, batch);
  backwardAll(pass, network.plan);
  for (const parameter of network.plan.parameters) network.update(parameter, settings, count);
  return loss;
}

export function readAll(network: EngineNetwork, what: ParameterTensor): Map<string, Float32Array> {
  return new Map(
    network.plan.parameters.map((parameter) => {
      const values = new Float32Array(parameter.size);
      network.readParameter(parameter, what, values);
      return [parameter.name, values];
    }),
  );
}

/** As of before the last update. */
export function readAllBefore(network: EngineNetwork, what: 'weight' | StateSlot): Map<string, Float32Array> {
  return new Map(
    network.plan.parameters.map((parameter) => {
      const values = new Float32Array(parameter.size);
      network.readBefore(parameter, what, values);
      return [parameter.name, values];
    }),
  );
}

export function writeAll(network: EngineNetwork, weights: ReadonlyMap<string, Float32Array>): void {
  for (const parameter of network.plan.parameters) {
    network.writeParameter(parameter, entry(weights, parameter.name));
  }
}

export function entry<T>(map: ReadonlyMap<string, T>, name: string): T {
  const value = map.get(name);
  if (value === undefined) throw new Error(`There is no ${name}.`);
  return value;
}

export function outputOf(pass: Pass, layer: LayerPlan, n: number): Float32Array {
  const values = new Float32Array(n * sizeOf(layer.outputShape));
  pass.readOutput(layer, values);
  return values;
}

export function errorOf(pass: Pass, layer: LayerPlan, n: number): Float32Array {
  const values = new Float32Array(n * sizeOf(layer.outputShape));
  pass.readError(layer, values);
  return values;
}

/** Numbers that look random and depend on the seed alone, uniform in [-1, 1). */
export function uniform(size: number, seed: number): Float32Array {
  const words = new Uint32Array(size);
  fillWords(words, { seed, purpose: 'weightInitialisation', step: 0, layer: 0 });
  return Float32Array.from(words, (word) => toUnitInterval(word) * 2 - 1);
}

/** Weights of about the size that keeps activations near 1. */
export function randomWeights(plan: NetworkPlan, seed: number): Map<string, Float32Array> {
  return new Map(
    plan.parameters.map(({ name, size, fanIn }, index) => {
      const scale = 1.5 / Math.sqrt(fanIn);
      return [name, uniform(size, seed + index).map((value) => value * scale)];
    }),
  );
}

/** `dropout`: whether half of what each dropout layer decides on is dropped, or the layers are off. */
export function randomMinibatch(
  plan: NetworkPlan,
  n: number,
  seed: number,
  { dropout }: { readonly dropout: boolean },
): Minibatch {
  const masks = new Map<string, Float32Array>();
  for (const { spec, outputShape, index } of plan.layers) {
    if (spec.kind !== 'dropout' || !dropout) continue;
    const size = n * (spec.unit === 'channel' ? outputShape[0]! : sizeOf(outputShape));
    masks.set(
      spec.name,
      uniform(size, seed + 100 + index).map((value) => (value < 0 ? 0 : 2)),
    );
  }
  return {
    n,
    images: uniform(n * sizeOf(plan.spec.input), seed + 50),
    labels: Uint8Array.from(uniform(n, seed + 51), (value) => Math.floor(((value + 1) / 2) * plan.classes)),
    masks,
  };
}

/** ||a - b|| / ||b||; the absolute difference where b is 0. */
export function relativeDifference(a: Float32Array, b: Float32Array): number {
  let difference = 0;
  let size = 0;
  for (let i = 0; i < b.length; i++) {
    difference += (a[i]! - b[i]!) ** 2;
    size += b[i]! ** 2;
  }
  return Math.sqrt(size === 0 ? difference : difference / size);
}
