import * as tf from '@tensorflow/tfjs-core';
import type { LayerPlan } from '../../src-shared/model/network';
import type { Position } from '../../src-shared/model/phases';
import { GradscopeError } from '../../src-shared/protocol/errors';
import type { NamedGradient } from './fit-optimiser';
import type { FitTime } from './fit-time';
import type { Gate } from './loop';
import type { Session, StepRecord } from './session';

/**
 * One minibatch as fit() sees it: custom-gradient operations around the session's own forward, loss and backward, and the
 * moment in which the optimiser gets the gradients. tfjs decides when each is called; every tensor that passes through its
 * hands on the way is checked to be the engine's own (same memory), so what it trains is what the engine computed.
 *
 * Nothing is ever thrown through tfjs, because it does not clean up behind an exception: the tape keeps what it saved and
 * fitDataset its running totals. A failure (an abandoned step is one) is held instead; the rest of the step then does
 * nothing, and fit-loop.ts takes it up when tfjs is through with the minibatch.
 */
export class FitStep {
  readonly #session: Session;
  readonly #gate: Gate;
  readonly #onStep: (record: StepRecord) => void;
  readonly #time: FitTime;
  #failure: { readonly error: unknown } | null = null;
  /** Layers up to this one still have to be gone through backwards. */
  #nextBackward = -1;

  constructor(session: Session, gate: Gate, onStep: (record: StepRecord) => void, time: FitTime) {
    this.#session = session;
    this.#gate = gate;
    this.#onStep = onStep;
    this.#time = time;
  }

  /** What went wrong in this minibatch. Taking it clears it. */
  takeFailure(): { readonly error: unknown } | null {
    const failure = this.#failure;
    this.#failure = null;
    return failure;
  }

  get failed(): boolean {
    return this.#failure !== null;
  }

  /** Runs `work`; once something has failed in this minibatch, gives `instead` and runs nothing more. */
  attempt<T>(work: () => T, instead: () => T): T {
    if (this.#failure !== null) return instead();
    try {
      return work();
    } catch (error) {
      this.#failure = { error };
      return instead();
    }
  }

  /** The images and labels of the minibatch that the session has begun, for tfjs-layers to carry to the first layer. */
  minibatch(): { xs: tf.Tensor; ys: tf.Tensor } {
    const { labels } = this.#session.dataset.train;
    const indices = this.#session.minibatch?.indices ?? [];
    return {
      xs: alias(this.#session.pass.tensors.input()),
      ys: tf.tensor1d(
        indices.map((index) => labels[index]!),
        'int32',
      ),
    };
  }

  zeroGradients(): void {
    this.#time.work(() => {
      this.#session.zeroGradients();
    });
    this.#reached({ phase: 'zeroGrad', layer: null });
  }

  /** The layer as an operation on its input and its parameters. */
  layer(layer: LayerPlan, x: tf.Tensor): tf.Tensor {
    const { tensors } = this.#session.network;
    const operation = tf.customGrad(() => ({
      value: this.attempt(
        () => this.#forward(layer, x),
        () => tf.zeros([this.#session.minibatch?.indices.length ?? 0, ...layer.outputShape]),
      ),
      gradFunc: (error: tf.Tensor) =>
        this.attempt(
          () => this.#backward(layer, error),
          () => [tf.zeros(x.shape), ...layer.parameters.map((parameter) => tf.zeros([...parameter.shape]))],
        ),
    }));
    return operation(x, ...layer.parameters.map((parameter) => tensors.variable(parameter)));
  }

  /** The loss as an operation on the logits, for compile(). */
  loss(logits: tf.Tensor): tf.Scalar {
    const operation = tf.customGrad(() => ({
      value: this.attempt(
        () => this.#loss(logits),
        () => tf.scalar(Number.NaN),
      ),
      gradFunc: (derivative: tf.Tensor) =>
        this.attempt(
          () => this.#lossBackward(derivative),
          () => tf.zeros(logits.shape),
        ),
    }));
    return operation(logits) as tf.Scalar;
  }

  /** The optimiser was given `gradients`: the engine's own, by which it now updates. */
  applyGradients(gradients: readonly NamedGradient[]): void {
    const session = this.#session;
    this.attempt(
      () => {
        // tfjs leaves out layers before the first with parameters: no variable hangs on them.
        for (const layer of session.plan.layers.slice(0, this.#nextBackward + 1).reverse()) {
          this.#goBack(layer);
        }
        this.#reached({ phase: 'backward', layer: null });
        this.#checkGradients(gradients);
        this.#time.work(() => {
          session.update();
          this.#onStep(session.finishStep());
        });
        this.#reached({ phase: 'step', layer: null });
      },
      () => undefined,
    );
  }

  #forward(layer: LayerPlan, x: tf.Tensor): tf.Tensor {
    const { tensors } = this.#session.pass;
    const before = this.#session.plan.layers[layer.index - 1];
    checkSame(
      x,
      before === undefined ? tensors.input() : tensors.output(before),
      `input of ${layer.spec.name}`,
    );
    this.#time.work(() => {
      this.#session.forward(layer);
    });
    this.#reached({ phase: 'forward', layer: layer.index });
    return alias(tensors.output(layer));
  }

  #loss(logits: tf.Tensor): tf.Scalar {
    checkSame(logits, this.#session.pass.tensors.output(this.#lastLayer()), 'logits');
    this.#reached({ phase: 'forward', layer: null });
    const { loss } = this.#time.work(() => this.#session.loss());
    this.#nextBackward = this.#lastLayer().index;
    this.#reached({ phase: 'loss', layer: null });
    return tf.scalar(loss);
  }

  #lossBackward(derivative: tf.Tensor): tf.Tensor {
    const factor = derivative.dataSync()[0];
    if (derivative.size !== 1 || factor !== 1) {
      throw new GradscopeError(
        'internal',
        `tfjs scales the loss by ${String(factor)}; the engine knows of no factor.`,
      );
    }
    return alias(this.#session.pass.tensors.error(this.#lastLayer()));
  }

  #backward(layer: LayerPlan, error: tf.Tensor): tf.Tensor[] {
    const { pass, plan, network } = this.#session;
    checkSame(error, pass.tensors.error(layer), `error of ${layer.spec.name}`);
    this.#goBack(layer);
    const before = plan.layers[layer.index - 1];
    return [
      alias(before === undefined ? pass.tensors.inputError() : pass.tensors.error(before)),
      ...layer.parameters.map((parameter) => alias(network.tensors.gradient(parameter))),
    ];
  }

  #goBack(layer: LayerPlan): void {
    this.#time.work(() => {
      this.#session.backward(layer);
    });
    this.#nextBackward = layer.index - 1;
    this.#reached({ phase: 'backward', layer: layer.index });
  }

  #checkGradients(gradients: readonly NamedGradient[]): void {
    const { plan, network } = this.#session;
    if (gradients.length !== plan.parameters.length) {
      throw new GradscopeError(
        'internal',
        `The optimiser got ${gradients.length} gradients of ${plan.parameters.length}.`,
      );
    }
    for (const [i, parameter] of plan.parameters.entries()) {
      const { name, tensor } = gradients[i]!;
      const variable = network.tensors.variable(parameter);
      if (name !== variable.name) {
        throw new GradscopeError('internal', `The optimiser got ${name} for ${parameter.name}.`);
      }
      checkSame(tensor, network.tensors.gradient(parameter), `gradient of ${parameter.name}`);
    }
  }

  #reached(position: Position): void {
    this.#time.aside(() => {
      this.#gate.reached(position);
    });
  }

  #lastLayer(): LayerPlan {
    const last = this.#session.plan.layers.at(-1);
    if (last === undefined) throw new GradscopeError('internal', 'The network has no layers.');
    return last;
  }
}

/** Another handle on the same memory, for tfjs to dispose of. tf.clone copies on the wasm backend. */
function alias(tensor: tf.Tensor): tf.Tensor {
  return tf.reshape(tensor, tensor.shape);
}

function checkSame(found: tf.Tensor, own: tf.Tensor, what: string): void {
  if (found.dataId !== own.dataId) {
    throw new GradscopeError('internal', `tfjs-layers passed on something else than the engine's ${what}.`);
  }
}
