import { describe, expect, it } from 'vitest';
import * as activations from './activations';

type Forward = (input: Float32Array, output: Float32Array) => void;
type Backward = (output: Float32Array, outputError: Float32Array, inputError: Float32Array) => void;

const INPUT = Float32Array.of(-1, 0, 2, NaN, Infinity, -Infinity);

function outputAndError(forward: Forward, backward: Backward): [number[], number[]] {
  const output = new Float32Array(INPUT.length);
  forward(INPUT, output);
  const inputError = new Float32Array(INPUT.length);
  backward(output, new Float32Array(INPUT.length).fill(8), inputError);
  return [[...output], [...inputError]];
}

describe('activations', () => {
  // Catches: Math.max(0, NaN) style comparisons that turn NaN into 0, and an error that passes where PyTorch's does not (each
  // line was run in PyTorch 2.13).
  it('ReLU keeps NaN and infinity and passes errors on where PyTorch does', () => {
    expect(outputAndError(activations.reluForward, activations.reluBackward)).toEqual([
      [0, 0, 2, NaN, Infinity, 0],
      [0, 0, 8, 8, 8, 0],
    ]);
  });

  it('leaky ReLU multiplies what is not above 0, and its error, by the slope', () => {
    const found = outputAndError(
      (input, output) => {
        activations.leakyReluForward(0.25, input, output);
      },
      (output, outputError, inputError) => {
        activations.leakyReluBackward(0.25, output, outputError, inputError);
      },
    );
    expect(found).toEqual([
      [-0.25, 0, 2, NaN, Infinity, -Infinity],
      [2, 2, 8, 2, 8, 2],
    ]);
  });

  it('sigmoid and tanh are flat where they are saturated, and NaN at NaN', () => {
    const [sigmoid, sigmoidError] = outputAndError(activations.sigmoidForward, activations.sigmoidBackward);
    expect(sigmoid.slice(3)).toEqual([NaN, 1, 0]);
    expect(sigmoid[1]).toBe(0.5);
    expect(sigmoidError.slice(3)).toEqual([NaN, 0, 0]);
    expect(sigmoidError[1]).toBe(2);
    const [tanh, tanhError] = outputAndError(activations.tanhForward, activations.tanhBackward);
    expect(tanh.slice(3)).toEqual([NaN, 1, -1]);
    expect(tanhError.slice(3)).toEqual([NaN, 0, 0]);
    expect(tanhError[1]).toBe(8);
  });
});
