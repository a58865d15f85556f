import type * as tf from '@tensorflow/tfjs-core';
import { GradscopeError } from '../../../src-shared/protocol/errors';

/** The part of the native addon's interface that is used here. Tensors are numbers, handles of the addon's. */
export interface TensorFlowBinding {
  readonly TF_FLOAT: number;
  readonly TF_INT32: number;
  readonly TF_ATTR_STRING: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_TYPE: number;
  readonly TF_Version: string;
  /** The array may be shared with TensorFlow until the tensor is deleted. */
  createTensor(shape: readonly number[], type: number, values: Float32Array | Int32Array): number;
  deleteTensor(tensor: number): void;
  /** A copy. */
  tensorDataSync(tensor: number): Float32Array;
  executeOp(
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly number[],
    outputs: number,
  ): { readonly id: number }[];
  getNumOfTensors(): number;
  isUsingGpuDevice(): boolean;
}

interface Attribute {
  readonly name: string;
  readonly type: number;
  readonly value: number | boolean | string | readonly number[];
}

/** tfjs's backend over the addon. A tensor's values are an array of JavaScript's until a kernel has used them: then null, and `id` is TensorFlow's. */
export interface TensorFlowBackend extends tf.KernelBackend {
  readonly binding: TensorFlowBinding;
  readonly tensorMap: tf.DataStorage<{ values: Float32Array | null; id: number }>;
}

/** Gives TensorFlow tensors to compute with and takes results; all of them are freed when the work is done. */
export class Operations {
  readonly #binding: TensorFlowBinding;
  readonly #tensors: number[] = [];

  private constructor(binding: TensorFlowBinding) {
    this.#binding = binding;
  }

  /** Runs `work`, and frees every tensor that it made, however it ends. */
  static run<T>(binding: TensorFlowBinding, work: (operations: Operations) => T): T {
    const operations = new Operations(binding);
    try {
      return work(operations);
    } finally {
      for (const tensor of operations.#tensors) binding.deleteTensor(tensor);
    }
  }

  /** `values` must not change while the work goes on. */
  floats(shape: readonly number[], values: Float32Array): number {
    return this.#keep(this.#binding.createTensor(shape, this.#binding.TF_FLOAT, values));
  }

  ints(shape: readonly number[], values: readonly number[]): number {
    return this.#keep(this.#binding.createTensor(shape, this.#binding.TF_INT32, Int32Array.from(values)));
  }

  pad(x: number, border: readonly (readonly [before: number, after: number])[]): number {
    const { TF_INT32 } = this.#binding;
    return this.#execute(
      'Pad',
      [this.#floatType(), this.#type('Tpaddings', TF_INT32)],
      [x, this.ints([border.length, 2], border.flat())],
    );
  }

  transpose(x: number, axes: readonly number[]): number {
    const { TF_INT32 } = this.#binding;
    return this.#execute(
      'Transpose',
      [this.#floatType(), this.#type('Tperm', TF_INT32)],
      [x, this.ints([axes.length], axes)],
    );
  }

  slice(x: number, begin: readonly number[], size: readonly number[]): number {
    const { TF_INT32 } = this.#binding;
    return this.#execute(
      'Slice',
      [this.#floatType(), this.#type('Index', TF_INT32)],
      [x, this.ints([begin.length], begin), this.ints([size.length], size)],
    );
  }

  /** left and right: matrices; a transposed one is given as it is held. */
  multiply(
    left: number,
    right: number,
    transposed: { readonly left?: boolean; readonly right?: boolean },
  ): number {
    return this.#execute(
      'MatMul',
      [
        this.#floatType(),
        this.#flag('transpose_a', transposed.left ?? false),
        this.#flag('transpose_b', transposed.right ?? false),
      ],
      [left, right],
    );
  }

  /** bias: one for each value of the last axis. */
  addBias(x: number, bias: number): number {
    return this.#execute('BiasAdd', [this.#floatType(), this.#text('data_format', 'NHWC')], [x, bias]);
  }

  /** x: (n, height, width, channels), or (n, channels, height, width) for NCHW; filter: (kernel, kernel, channels, filters). No padding. */
  convolve(x: number, filter: number, stride: number, format: 'NHWC' | 'NCHW' = 'NHWC'): number {
    return this.#execute('Conv2D', this.#convolution(stride, format), [x, filter]);
  }

  /** Gradient of the filter, (kernel, kernel, channels, filters). */
  convolveBackFilter(x: number, filterShape: readonly number[], error: number, stride: number): number {
    return this.#execute('Conv2DBackpropFilter', this.#convolution(stride, 'NHWC'), [
      x,
      this.ints([4], filterShape),
      error,
    ]);
  }

  /** Error of the input, of `inputShape`. */
  convolveBackInput(inputShape: readonly number[], filter: number, error: number, stride: number): number {
    return this.#execute('Conv2DBackpropInput', this.#convolution(stride, 'NHWC'), [
      this.ints([4], inputShape),
      filter,
      error,
    ]);
  }

  read(tensor: number): Float32Array {
    return this.#binding.tensorDataSync(tensor);
  }

  #convolution(stride: number, format: 'NHWC' | 'NCHW'): Attribute[] {
    const { TF_ATTR_INT } = this.#binding;
    const strides = format === 'NHWC' ? [1, stride, stride, 1] : [1, 1, stride, stride];
    return [
      this.#floatType(),
      { name: 'strides', type: TF_ATTR_INT, value: strides },
      { name: 'dilations', type: TF_ATTR_INT, value: [1, 1, 1, 1] },
      this.#text('padding', 'VALID'),
      this.#text('data_format', format),
      this.#flag('use_cudnn_on_gpu', true),
    ];
  }

  #floatType(): Attribute {
    return this.#type('T', this.#binding.TF_FLOAT);
  }

  #type(name: string, value: number): Attribute {
    return { name, type: this.#binding.TF_ATTR_TYPE, value };
  }

  #flag(name: string, value: boolean): Attribute {
    return { name, type: this.#binding.TF_ATTR_BOOL, value };
  }

  #text(name: string, value: string): Attribute {
    return { name, type: this.#binding.TF_ATTR_STRING, value };
  }

  #execute(name: string, attributes: readonly Attribute[], inputs: readonly number[]): number {
    const [output] = this.#binding.executeOp(name, attributes, inputs, 1);
    if (output === undefined) throw new GradscopeError('internal', `TensorFlow's ${name} gave nothing.`);
    return this.#keep(output.id);
  }

  #keep(tensor: number): number {
    this.#tensors.push(tensor);
    return tensor;
  }
}
