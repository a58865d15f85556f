/**
 * Sigmoid and tanh, value by value. Their exponentials are JavaScript's own: one that agrees with it to the last digits needs
 * tables, and the kernels, which share their memory, have no data of their own.
 */

/** y = 1 / (1 + exp(-x)) */
export function sigmoidForward(input: Float32Array, output: Float32Array): void {
  for (let i = 0; i < input.length; i++) output[i] = 1 / (1 + Math.exp(-input[i]!));
}

/** dL/dx = dL/dy y (1 - y) */
export function sigmoidBackward(output: Float32Array, error: Float32Array, inputError: Float32Array): void {
  for (let i = 0; i < output.length; i++) inputError[i] = error[i]! * output[i]! * (1 - output[i]!);
}

export function tanhForward(input: Float32Array, output: Float32Array): void {
  for (let i = 0; i < input.length; i++) output[i] = Math.tanh(input[i]!);
}

/** dL/dx = dL/dy (1 - y^2) */
export function tanhBackward(output: Float32Array, error: Float32Array, inputError: Float32Array): void {
  for (let i = 0; i < output.length; i++) inputError[i] = error[i]! * (1 - output[i]! * output[i]!);
}
