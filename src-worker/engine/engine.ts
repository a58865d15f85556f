import type * as tf from '@tensorflow/tfjs-core';
import type { LayerPlan, NetworkPlan, ParameterPlan } from '../../src-shared/model/network';
import type { OptimiserSpec, StateSlot } from '../../src-shared/model/optimiser';
import type { EngineName } from '../../src-shared/model/run-config';

/** The layer interface: all that training knows of the arithmetic. An engine owns its buffers; whoever looks copies out. */
export interface Engine {
  readonly name: EngineName;
  /** For people: what of it runs, e.g. "SIMD". */
  readonly variant: string;
  /** Library -> version. */
  readonly versions: Readonly<Record<string, string>>;
  /** Null: how many threads it runs on is not ours to say. */
  readonly threads: Threads | null;
  /** Parameters start at zero. @throws GradscopeError `engine-cannot-run` naming the layer and the reason. */
  createNetwork(plan: NetworkPlan): EngineNetwork;
  /** Number of buffers that are alive (tf.memory().numTensors where tfjs holds them): flat from step to step. */
  liveBuffers(): number;
  dispose(): void;
}

/** Threads that work on a step. Their number changes no bit and may change between two calls of the engine. */
export interface Threads {
  /** That there are. */
  readonly most: number;
  readonly inUse: number;
  /** @param count from 1 to `most`; what lies outside is brought inside */
  use(count: number): void;
}

/** The recipe's optimiser, of any kind: every engine runs them all. */
export type OptimiserSettings = OptimiserSpec;

/** What there is of a parameter, each of its size. */
export type ParameterTensor = 'weight' | 'gradient' | 'update' | StateSlot;

/** Parameters, their gradients and what the optimiser remembers of them. Values cross this interface in PyTorch's layout (see ParameterPlan). */
export interface EngineNetwork {
  readonly plan: NetworkPlan;
  writeParameter(parameter: ParameterPlan, values: Float32Array): void;
  /**
   * Copies into `target`, which has `parameter.size` values. A gradient that was cleared reads as zeros; a slot of the
   * optimiser's state that was not written yet, by update() or writeState(), too. `update` is the weight after the last
   * update() - the weight before it, in float32; zeros where there was none.
   */
  readParameter(parameter: ParameterPlan, what: ParameterTensor, target: Float32Array): void;
  /** The same, of just before the last update(); zeros where there was none. */
  readBefore(parameter: ParameterPlan, what: 'weight' | StateSlot, target: Float32Array): void;
  /** L2 norm, summed in float64: finite exactly when every value is. */
  norm(parameter: ParameterPlan, of: 'weight' | 'gradient' | 'update'): number;
  writeState(parameter: ParameterPlan, slot: StateSlot, values: Float32Array): void;
  zeroGradients(): void;
  /**
   * One update of weight and state by the gradient in the network's buffer, in float32 and in the order of operations of
   * kernels/optimisers.ts, so that weights get the same bits from the same gradients on every engine. What it began with and
   * what it added is kept until the next.
   * @param count the number of this update since the state was zero, from 1: the t of Adam's bias correction. The caller
   * counts, as the network does not know when its state was replaced.
   */
  update(parameter: ParameterPlan, settings: OptimiserSettings, count: number): void;
  /** A chain of activations and errors of its own over these parameters; training, testing and the chosen digit each have one. */
  createPass(): Pass;
  /** What fit() needs to drive the same buffers through tfjs-layers. */
  readonly tensors: TensorView;
  dispose(): void;
}

export interface ForwardContext {
  /**
   * Factors of a dropout layer, one for each channel or value it decides on (0 or 1/(1-rate)), shape (n, channels) or
   * (n, ...outputShape); null where dropout is off.
   */
  mask(layer: LayerPlan): Float32Array | null;
  /** What dropoutMask() draws these masks from: an engine may draw them by itself, to the last bit. Absent: it asks. */
  readonly draw?: { readonly seed: number; readonly step: number };
}

/** One minibatch on its way through the network. Layers are called in order; calling out of order throws. */
export interface Pass {
  /** images: (n, channels, height, width), ready for the network; labels: n classes. Both are copied. */
  load(images: Float32Array, labels: Uint8Array, n: number): void;
  /**
   * The same from bytes: an image for each of `indices`, (channels, height, width) bytes of `pixels` from its index times that
   * size on, where byte b stands for table[b], of 256 values. There is a label for each.
   */
  loadBytes(pixels: Uint8Array, indices: ArrayLike<number>, table: Float32Array, labels: Uint8Array): void;
  forward(layer: LayerPlan, context: ForwardContext): void;
  /** Mean loss over the minibatch and how many were classified rightly; leaves the error of the logits for backward. */
  loss(): { readonly loss: number; readonly correct: number };
  /**
   * From the error of the layer's output: the error of its input (not for the first layer) and, when `parameters` is
   * true, the gradients of its parameters in the network's gradient buffers.
   */
  backward(layer: LayerPlan, options: { readonly parameters: boolean }): void;
  /**
   * In place of the loss: leaves the error of the logits for backward that makes it the gradient of the score (the logit) of one
   * class, summed over the minibatch. What was read of the loss stays as it was.
   */
  score(ofClass: number): void;
  /** Copies the whole minibatch, (n, ...layer.outputShape), channel first. */
  readOutput(layer: LayerPlan, target: Float32Array): void;
  /** dL/d output, same shape. */
  readError(layer: LayerPlan, target: Float32Array): void;
  /**
   * dL/d image, or after score() d score / d image, (n, channels, height, width); after the backward pass of the first layer. It
   * is computed when it is read, as training has no use for it.
   */
  readInputError(target: Float32Array): void;
  /** softmax(logits), (n, classes); after loss(). */
  readProbabilities(target: Float32Array): void;
  readonly tensors: PassTensors;
  dispose(): void;
}

/**
 * The same buffers as tfjs tensors. Parameters and gradients are in PyTorch's layout; activations and errors are in whatever
 * layout the engine holds. Tensors returned here stay the engine's: fit() hands tfjs-layers further handles on their memory
 * and assigns to none of them.
 */
export interface TensorView {
  /** tfjs backend that must be active while fit() runs. */
  readonly backend: string;
  readonly variable: (parameter: ParameterPlan) => tf.Variable;
  readonly gradient: (parameter: ParameterPlan) => tf.Tensor;
}

export interface PassTensors {
  readonly input: () => tf.Tensor;
  readonly output: (layer: LayerPlan) => tf.Tensor;
  readonly error: (layer: LayerPlan) => tf.Tensor;
  readonly inputError: () => tf.Tensor;
}
