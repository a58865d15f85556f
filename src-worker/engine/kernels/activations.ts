/**
 * What is applied to each value by itself. All derivatives are taken from the output y, which the engine holds anyway. What is
 * computed in float64 is rounded to float32 once, when it is stored.
 */

/** max(x, 0); NaN stays NaN. */
export function reluForward(input: Float32Array, output: Float32Array): void {
  for (let i = 0; i < input.length; i++) {
    const value = input[i]!;
    output[i] = value <= 0 ? 0 : value;
  }
}

/** The error passes where the output is not 0, and at NaN (PyTorch's threshold_backward). */
export function reluBackward(
  output: Float32Array,
  outputError: Float32Array,
  inputError: Float32Array,
): void {
  for (let i = 0; i < output.length; i++) inputError[i] = output[i]! <= 0 ? 0 : outputError[i]!;
}

/** x > 0 ? x : slope x. The slope is a float32, as PyTorch's. @param slope >= 0 */
export function leakyReluForward(slope: number, input: Float32Array, output: Float32Array): void {
  const factor = Math.fround(slope);
  for (let i = 0; i < input.length; i++) {
    const value = input[i]!;
    output[i] = value > 0 ? value : value * factor;
  }
}

/** The error times 1 or the slope; as the slope is not negative, the output is above 0 where the input is. */
export function leakyReluBackward(
  slope: number,
  output: Float32Array,
  outputError: Float32Array,
  inputError: Float32Array,
): void {
  const factor = Math.fround(slope);
  for (let i = 0; i < output.length; i++) {
    const error = outputError[i]!;
    inputError[i] = output[i]! > 0 ? error : error * factor;
  }
}

/** 1 / (1 + exp(-x)) */
export function sigmoidForward(input: Float32Array, output: Float32Array): void {
  for (let i = 0; i < input.length; i++) output[i] = 1 / (1 + Math.exp(-input[i]!));
}

/** dy/dx = y (1 - y) */
export function sigmoidBackward(
  output: Float32Array,
  outputError: Float32Array,
  inputError: Float32Array,
): void {
  for (let i = 0; i < output.length; i++) {
    const y = output[i]!;
    inputError[i] = outputError[i]! * (1 - y) * y;
  }
}

export function tanhForward(input: Float32Array, output: Float32Array): void {
  for (let i = 0; i < input.length; i++) output[i] = Math.tanh(input[i]!);
}

/** dy/dx = 1 - y^2 */
export function tanhBackward(
  output: Float32Array,
  outputError: Float32Array,
  inputError: Float32Array,
): void {
  for (let i = 0; i < output.length; i++) {
    const y = output[i]!;
    inputError[i] = outputError[i]! * (1 - y * y);
  }
}

/** result = values * factors: dropout's forward pass on activations, and its backward pass on errors. */
export function multiply(values: Float32Array, factors: Float32Array, result: Float32Array): void {
  for (let i = 0; i < values.length; i++) result[i] = values[i]! * factors[i]!;
}
